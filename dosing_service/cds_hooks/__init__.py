"""CDS Hooks 2.0: the service as an electronic health record calls it while orders are written and signed."""
