"""Whether the objects of each release equal Istio's own, which are known by digests (`make lock`).

`*.lock.json` names each of Istio's objects in its profiles, samples and addons, with a digest of each of its parts
after normalisation. So every clone of the project can compare, without Istio's files. With a folder of these, which
MESH_REFERENCE names, the tests show what differs, and `make lock` writes the digests.
"""
