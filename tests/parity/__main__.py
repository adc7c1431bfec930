"""`make lock`: writes the lock files from the folder of Istio's objects that MESH_REFERENCE names."""

import sys

from mesh import releases
from tests.parity import istio, lock


def main() -> int:
    for release in map(releases.get, releases.NAMES):
        folder = istio.folder(release)
        if folder is None:
            print(f"{istio.REFERENCE} names no folder with what Istio itself produces")
            return 1
        lock.file(release).write_text(lock.text(istio.objects(folder, release.name)))
        print(f"wrote {lock.file(release).relative_to(lock.FOLDER.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
