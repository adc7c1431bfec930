"""Pictures of a mesh and of a stack's components: one model, drawn as SVG or written as Mermaid."""
