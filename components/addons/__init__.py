"""What watches the mesh: one module an addon. `install` holds the list of them, `config` what a stack can say."""
