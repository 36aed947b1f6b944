"""The server of Deskbell: doors (`ingest`), services, `store`, `delivery`, and the transport below Flask-SocketIO."""
