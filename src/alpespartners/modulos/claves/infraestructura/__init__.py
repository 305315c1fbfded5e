"""Las claves en SQL."""
