"""What a session is made of: the scene is read, a frame is planned, its models are staged, and it is drawn."""
