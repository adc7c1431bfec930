"""Pictures of a mesh: one model, drawn as SVG or written as Mermaid."""
