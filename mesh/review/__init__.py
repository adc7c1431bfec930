"""What a change of a stack comes to, for those who review it: what changes in which object, what is risky about it, and
what becomes of requests.

Everything here is pure: the objects before and after come from elsewhere (`commands.sources`), and go out as plain
values, as Markdown and as JSON. Values of Secrets never get in.
"""
