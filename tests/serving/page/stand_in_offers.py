OFFERS = {
    "stacks": [
        {"name": "s", "description": "", "graph": "main", "schema": "own", "graphs": ["main"]}
    ],
    "graphs": [
        {
            "name": "main",
            "about": "x",
            "needs": [],
            "uses": [],
            "takes": ["images"],
            "nodes": ["open"],
        }
    ],
    "schemas": [{"name": "own", "description": "", "types": [], "relations": [], "events": []}],
    "default": {"stack": "s", "graph": "main", "schema": "own"},
    "gold": False,
}
