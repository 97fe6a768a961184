"""What others call: the service with its queue, HTTP, the page, MCP, and review."""
