"""HTTP: one blueprint file per resource. It only translates between the wire and the use cases."""
