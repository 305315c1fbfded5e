"""El informe como una tabla: una línea por fila, y cada cifra en su columna.

Qué es: de lo mismo que se responde en JSON, las columnas y las celdas. De aquí salen el CSV de la API y el de
la terminal, y lo que la terminal enseña.
Qué no es: el total, que una hoja de cálculo sumaría otra vez.
Por qué existe: la pantalla, la API y el CSV dicen las mismas cifras porque son las mismas.

Los nombres son los del JSON con un punto (`valor.COP`). De una razón va su `valor`: su numerador y su
denominador son ya columnas. Las monedas son las que hay en alguna fila.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import UNSET

from alpespartners.api.http.columnas import columnas
from alpespartners.api.http.descargas import Cuerpos, Escritura, escritura_con
from alpespartners.api.http.formatos import Formato
from alpespartners.api.informes.presentacion import (
    Comparado,
    DeBots,
    Diferencias,
    Fila,
    InformeDeAlguien,
    Razon,
    RazonDeImporte,
    UsuariosUnicos,
    Variaciones,
)
from alpespartners.modulos.informes.aplicacion.puertos import Dimension
from alpespartners.seedwork.csv_protegido import Celda

_GRUPOS: Final = frozenset(Dimension)


def escritura_de(informe: InformeDeAlguien, formato: Formato) -> Escritura:
    """Cómo se escriben las filas de ese informe."""
    monedas = _monedas(informe)
    return escritura_con(
        formato,
        [nombre for nombre, _ in _aplanado(total_como_fila(informe), monedas)],
        lambda filas: _celdas(filas, monedas),
    )


def _celdas(filas: Cuerpos, monedas: Sequence[str]) -> Iterator[Sequence[Celda]]:
    for fila in filas:
        yield [celda for _, celda in _aplanado(fila, monedas)]


def _monedas(informe: InformeDeAlguien) -> Sequence[str]:
    total = informe.total
    medidos = [total] if total.comparacion is UNSET else [total, total.comparacion]
    return sorted({moneda for medido in medidos for moneda in (*medido.valor, *medido.bots.valor)})


def total_como_fila(informe: InformeDeAlguien) -> Fila:
    """El total con las columnas de una fila, y sin grupo; filas puede no haber ninguna."""
    return Fila(**dict.fromkeys(informe.por), **msgspec.structs.asdict(informe.total))  # type: ignore[arg-type]


def _aplanado(
    cuerpo: msgspec.Struct, monedas: Sequence[str], prefijo: str = ""
) -> Iterator[tuple[str, Celda]]:
    """Cada columna con su celda; `diferencia` y `variacion` cuelgan de la comparación y no la nombran."""
    for nombre in columnas(type(cuerpo)):
        match getattr(cuerpo, nombre):
            case msgspec.UNSET:
                pass
            case Comparado() | Diferencias() | Variaciones() as dentro:
                yield from _aplanado(dentro, monedas, f"{nombre}.")
            case UsuariosUnicos() | DeBots() as dentro:
                yield from _aplanado(dentro, monedas, f"{prefijo}{nombre}.")
            case Mapping() as partes:
                # Por moneda solo están las que tiene la fila; por tipo, todos.
                for clave in monedas if partes.keys() <= set(monedas) else partes:
                    yield f"{prefijo}{nombre}.{clave}", _cifra(partes.get(clave))
            case str() as texto if nombre in _GRUPOS:
                yield f"{prefijo}{nombre}", texto
            case valor:
                yield f"{prefijo}{nombre}", _cifra(valor)


def _cifra(valor: object) -> Celda:
    match valor:
        case Razon() | RazonDeImporte():
            return _cifra(valor.valor)
        case str():
            # Va como texto para que nadie lo redondee; en una celda es el mismo número.
            return Decimal(valor)
        case _:
            return valor  # type: ignore[return-value] # lo demás ya es una celda
