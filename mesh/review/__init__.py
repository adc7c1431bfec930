"""Reports on a change of a stack, for its reviewers: changed objects, risks, and effects on requests.

All functions are pure. `commands.sources` provides the objects before and after the change; the result is a `Review`,
which is written as Markdown and as JSON. Values of Secrets are never part of it.
"""
