"""Cuántas cosas hubo, dicho como lo diría una persona: `1 fila`, `0 filas`."""


def cuantas(numero: int, una: str, varias: str) -> str:
    """El número y su nombre, en singular o en plural."""
    return f"{numero} {una if numero == 1 else varias}"
