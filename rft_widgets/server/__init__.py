"""The server of the app, and the REST API that it and any Jupyter server answer."""
