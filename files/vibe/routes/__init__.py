"""The configuration: the routes file, read strictly once at import.

``routes_file.load_routes`` returns ``routes_file.Routes``: the ``family.Family`` of each virtual model, its pools
(capabilities and prices of their models), and the settings of the gates. Each fault names its key, its value and the
fix.
"""
