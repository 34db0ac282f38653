"""What every face needs of HTTP: bodies read as strict JSON, errors written as problem documents."""
