"""Revisiones que solo existen en una prueba, detrás de las del producto."""

from pathlib import Path

from alpespartners.migraciones import CABEZA, Historia


def historia_con(carpeta: Path, *pasos: str) -> Historia:
    """La historia del producto y una revisión más, `siguiente`, que ejecuta esas líneas de Python."""
    cuerpo = "\n".join(f"    {paso}" for paso in pasos)
    (carpeta / "siguiente.py").write_text(
        "from alembic import op\n\n"
        f'revision = "siguiente"\ndown_revision = "{CABEZA}"\nbranch_labels = None\ndepends_on = None\n\n\n'
        f"def upgrade() -> None:\n{cuerpo}\n",
        encoding="utf-8",
    )
    return Historia("siguiente", (carpeta,))
