"""Lo que un proceso cuenta de sí mismo: registro y contadores."""
