"""A stack's objects beside somebody else's: what differs, object by object and field by field."""
