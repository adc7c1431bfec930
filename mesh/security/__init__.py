"""What stacks say of security (`mesh:security`): mutual TLS, who may call whom, tokens of users.

Built like `mesh.traffic`: types of config, and pure functions that make objects of Istio's API of them.
"""
