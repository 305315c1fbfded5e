"""Infraestructura común: cerrojos, vida de los procesos y el broker embebido."""
