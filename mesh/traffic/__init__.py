"""What stacks say of traffic (`mesh:traffic`), and the objects of Istio's API that it becomes.

Each module has one part of the config as a type, and a pure function that makes objects of it; `component.py` alone
registers them. Nothing is imported here: the settings are made of these types, and the component of the settings.
"""
