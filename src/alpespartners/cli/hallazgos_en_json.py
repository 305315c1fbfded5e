"""El archivo en que una orden deja todo lo que halla, un JSON por línea.

Por qué existe: en la terminal caben unos pocos; quien tiene miles los quiere todos. Y que no quepan en el
disco no es que algo no cuadre.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from alpespartners.cli.destino import imprimible
from alpespartners.cli.no_se_pudo import no_se_pudo


@contextmanager
def hallazgos_en_json(ruta: Path | None) -> Iterator[Callable[[object], None]]:
    """Abre el archivo, si se pidió, y da con qué escribir en él cada hallazgo.

    Raises:
        typer.Exit: no se puede escribir en él; ya se ha dicho.
    """
    if ruta is None:
        yield lambda _hallazgo: None
        return
    with _escribiendo(ruta):
        # Sin memoria intermedia, que al cerrar podría no caber.
        archivo = ruta.open("wb", buffering=0)

    def dejar(hallazgo: object) -> None:
        with _escribiendo(ruta):
            archivo.write(msgspec.json.encode(hallazgo) + b"\n")

    with archivo:
        yield dejar


@contextmanager
def _escribiendo(ruta: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise no_se_pudo(
            f"No se puede escribir en {imprimible(str(ruta))}: compruebe que su carpeta existe, que tiene "
            "permiso y que queda sitio."
        ) from None
