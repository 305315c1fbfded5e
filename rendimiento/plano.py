"""El plano de un paquete: sus habitaciones, las flechas entre ellas y los pisos que suman.

Qué es: `python -m rendimiento.plano <carpeta> …` lee los `import` sin ejecutar nada. Una habitación es un
hijo directo de la carpeta, módulo o paquete, salvo `__init__` y `__main__`; una flecha, que una importa algo
de otra, una o más veces; los pisos, la cadena más larga de flechas. Un círculo ocupa un solo piso.
Qué no es: una regla; las reglas las vigila import-linter (`pyproject.toml`).
Por qué existe: cuántas cosas hay que tener en la cabeza para entrar en una carpeta se puede contar.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path


class Plano:
    """El de una carpeta.

    Args:
        carpeta: la de un paquete, con su `__init__.py`.
    """

    def __init__(self, carpeta: Path) -> None:
        self._paquete = _nombre(carpeta)
        caminos = {hijo.stem: hijo for hijo in sorted(carpeta.iterdir()) if _es_habitacion(hijo)}
        self.flechas: Mapping[str, frozenset[str]] = {
            nombre: frozenset(self._de_que_importa(camino)) & caminos.keys() - {nombre}
            for nombre, camino in caminos.items()
        }

    @cached_property
    def circulos(self) -> Sequence[frozenset[str]]:
        """Las habitaciones desde las que, siguiendo flechas, se vuelve a ellas; juntas, las del mismo."""
        return list(dict.fromkeys(suyas for suyas in self._grupos.values() if len(suyas) > 1))

    @property
    def pisos(self) -> int:
        """Habitaciones de la cadena más larga, contando cada círculo como una."""
        alturas: dict[frozenset[str], int] = {}

        def altura(grupo: frozenset[str]) -> int:
            if grupo not in alturas:
                debajo = {self._grupos[otra] for una in grupo for otra in self.flechas[una]} - {grupo}
                alturas[grupo] = 1 + max(map(altura, debajo), default=0)
            return alturas[grupo]

        return max(map(altura, self._grupos.values()), default=0)

    def resumen(self) -> str:
        """El plano en una línea, y una más por círculo."""
        flechas = sum(map(len, self.flechas.values()))
        lineas = [f"{self._paquete}: {len(self.flechas)} habitaciones, {flechas} flechas, {self.pisos} pisos"]
        return "\n".join([*lineas, *(f"  círculo: {', '.join(sorted(c))}" for c in self.circulos)])

    @cached_property
    def _grupos(self) -> Mapping[str, frozenset[str]]:
        """Con cada habitación, las de su círculo; sola, si no está en ninguno."""
        alcanza = {nombre: self._alcance(nombre) for nombre in self.flechas}
        return {
            una: frozenset({una} | {otra for otra in alcanza[una] if una in alcanza[otra]}) for una in alcanza
        }

    def _alcance(self, desde: str) -> set[str]:
        alcanzadas: set[str] = set()
        pendientes = {desde}
        while pendientes:
            nuevas = self.flechas[pendientes.pop()] - alcanzadas
            alcanzadas |= nuevas
            pendientes |= nuevas
        return alcanzadas

    def _de_que_importa(self, camino: Path) -> Iterator[str]:
        prefijo = f"{self._paquete}."
        for archivo in camino.rglob("*.py") if camino.is_dir() else [camino]:
            for importado in _importados(ast.parse(archivo.read_bytes())):
                if importado.startswith(prefijo):
                    yield importado.removeprefix(prefijo).partition(".")[0]


def _importados(arbol: ast.Module) -> Iterator[str]:
    for nodo in ast.walk(arbol):
        if isinstance(nodo, ast.Import):
            yield from (alias.name for alias in nodo.names)
        elif isinstance(nodo, ast.ImportFrom):
            # `from paquete import módulo` se lee igual que `from módulo import nombre`.
            yield from (f"{nodo.module}.{alias.name}" for alias in nodo.names)


def _es_habitacion(hijo: Path) -> bool:
    return (hijo / "__init__.py").exists() or (hijo.suffix == ".py" and not hijo.stem.startswith("__"))


def _nombre(carpeta: Path) -> str:
    entera = carpeta.resolve()
    partes = [entera.name]
    while (entera := entera.parent).joinpath("__init__.py").exists():
        partes.insert(0, entera.name)
    return ".".join(partes)


if __name__ == "__main__":
    lector = argparse.ArgumentParser(description="El plano de cada carpeta.")
    lector.add_argument("carpetas", nargs="+", type=Path, help="las de unos paquetes")
    lector.add_argument("--detalle", action="store_true", help="también, de qué importa cada habitación")
    dado = lector.parse_args()
    for plano in map(Plano, dado.carpetas):
        sys.stdout.write(f"{plano.resumen()}\n")
        for una, otras in plano.flechas.items() if dado.detalle else ():
            sys.stdout.write(f"  {una}: {', '.join(sorted(otras))}\n")
