"""How the program uses Pulumi: its state, its hooks, and the SDK's internals."""
