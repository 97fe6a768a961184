"""The service over HTTP: routes, who may use them, what is logged and counted."""
