// A program of its own, so that it is built within seconds and the toolchain's others need not be built again.
module mesh.local/mesh-serving

go 1.24.7
