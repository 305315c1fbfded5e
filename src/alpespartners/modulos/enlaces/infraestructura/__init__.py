"""Los enlaces y sus secretos en SQL."""
