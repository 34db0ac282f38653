"""Reads the untidy FHIR of real health records into the model. Never raises on what a record holds."""
