"""Un informe en una terminal: una tabla con barras que cabe a lo ancho.

Qué es: de las celdas del CSV, las columnas que caben, de la más importante a la menos, y una barra junto a lo
que más se mira.
Qué no es: una cuenta; lo único que suma son las conversiones de todos los tipos.
Por qué existe: una cifra a la que le falta una parte es otra cifra. Si algo no cabe no se recorta: se deja
fuera la columna entera, y se dice.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import UNSET
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alpespartners.api.http.formatos import Formato
from alpespartners.api.informes.presentacion import InformeDeAlguien
from alpespartners.api.informes.tabla import escritura_de, total_como_fila
from alpespartners.cli.destino import imprimible
from alpespartners.modulos.informes.aplicacion.puertos import Dimension
from alpespartners.seedwork.csv_protegido import sin_proteger

_ENTRE_COLUMNAS: Final = 2
_ANCHO_DE_UNA_BARRA: Final = 8
_ANCHOS_DE_UN_TEXTO: Final = (24, 16, 12, 8)
"""En cuántas columnas se escribe, y se parte en líneas, un texto: lo que dejen las cifras."""
_OCTAVOS: Final = " ▏▎▍▌▋▊▉"
_ENTERO: Final = "█"
_SIN_ACABAR: Final = "*"
_MEDIANOCHE: Final = "T00:00:00"
_HASTA_LOS_MINUTOS: Final = len("2024-01-15T00:00")
_SEGUNDOS: Final = len(":00")

_SIEMPRE, _LO_PRIMERO, _LO_SEGUNDO, _BARRAS, _RAZONES, _DETALLE, _LO_ULTIMO = range(7)
"""Cuánto importa una columna: de la que está siempre a la primera que se quita."""

_IMPORTAN: Final = {
    "impresiones": _LO_PRIMERO,
    "valor": _LO_PRIMERO,
    "clics": _LO_SEGUNDO,
    "variacion": _LO_SEGUNDO,
    "usuarios_unicos": _LO_SEGUNDO,
    "ctr": _RAZONES,
    "tasa_conversion": _RAZONES,
    "visualizaciones": _DETALLE,
    "ticket_medio": _DETALLE,
    "valor_por_clic": _DETALLE,
}
_GRUPOS: Final = frozenset(Dimension)
_POR_TIPO: Final = "conversiones."
_CON_BARRA: Final = frozenset({"impresiones", "valor"})
_NO_SE_ENSEÑAN: Final = frozenset(
    {
        "hasta",
        "comparacion.desde",
        "comparacion.hasta",
        "comparacion.incompleto",
        *(
            f"{de}usuarios_unicos.{parte}"
            for de in ("", "comparacion.")
            for parte in ("exacto", "error_relativo", "aditivo", "eventos_con_usuario")
        ),
    }
)


@dataclass(frozen=True, slots=True)
class _Columna:
    """Una columna de la tabla: su celda en cada fila, y al final la del total."""

    nombre: str
    celdas: Sequence[str]
    importa: int
    es_texto: bool = False
    es_barra: bool = False

    def ancho(self, de_un_texto: int) -> int:
        mayor = max(map(cell_len, (*self.celdas, "" if self.es_barra else self.nombre)))
        return min(mayor, de_un_texto) if self.es_texto else mayor

    @property
    def dice_algo(self) -> bool:
        return self.importa <= _LO_PRIMERO or any(celda.strip("0.") for celda in self.celdas)


def escribir_tabla(informe: InformeDeAlguien, de: str, consola: Console) -> Sequence[str]:
    """Escribe el informe de quien se dice, y devuelve los nombres de las columnas que no caben."""
    posibles = [columna for columna in _columnas(informe) if columna.dice_algo]
    de_un_texto = _ancho_de_un_texto(posibles, consola.width)
    elegidas = _las_que_caben(posibles, consola.width, de_un_texto)
    consola.print(Text(_titulo(informe, de)), soft_wrap=True)
    tabla = Table(box=None, padding=(0, _ENTRE_COLUMNAS, 0, 0), pad_edge=False, show_footer=True)
    for columna in elegidas:
        *_, total = columna.celdas
        tabla.add_column(
            "" if columna.es_barra else columna.nombre,
            Text(total),
            justify="left" if columna.importa == _SIEMPRE or columna.es_barra else "right",
            width=columna.ancho(de_un_texto),
            no_wrap=columna.importa != _SIEMPRE,
            overflow="fold",
            style="cyan" if columna.es_barra else None,
        )
    for celdas in zip(*(columna.celdas[:-1] for columna in elegidas), strict=True):
        tabla.add_row(*map(Text, celdas))
    consola.print(tabla)
    if any(fila.incompleto for fila in informe.filas):
        consola.print(Text(f"{_SIN_ACABAR} Aún no ha acabado: puede haber más."))
    return [columna.nombre for columna in posibles if columna not in elegidas and not columna.es_barra]


def _ancho_de_un_texto(columnas: Sequence[_Columna], ancho: int) -> int:
    """El mayor con que caben todas las cifras que se miran primero; si con ninguno, el menor."""
    primeras = [columna for columna in columnas if columna.importa == _LO_PRIMERO]
    for de_un_texto in _ANCHOS_DE_UN_TEXTO:
        caben = _las_que_caben(columnas, ancho, de_un_texto)
        if all(columna in caben for columna in primeras):
            return de_un_texto
    return _ANCHOS_DE_UN_TEXTO[-1]


def _las_que_caben(columnas: Sequence[_Columna], ancho: int, de_un_texto: int) -> Sequence[_Columna]:
    """Las más importantes que caben juntas, en su orden; las que están siempre, quepan o no."""
    elegidas: set[int] = set()
    libre = ancho + _ENTRE_COLUMNAS
    for lugar in sorted(range(len(columnas)), key=lambda lugar: columnas[lugar].importa):
        ocupa = columnas[lugar].ancho(de_un_texto) + _ENTRE_COLUMNAS
        if ocupa <= libre or columnas[lugar].importa == _SIEMPRE:
            elegidas.add(lugar)
            libre -= ocupa
    return [columnas[lugar] for lugar in sorted(elegidas)]


def _columnas(informe: InformeDeAlguien) -> Iterator[_Columna]:
    """Todas las que podrían enseñarse, en su orden."""
    leidas = _leidas(informe)
    yield _Columna("desde", _momentos(leidas.pop("desde"), leidas.pop("incompleto")), _SIEMPRE)
    tipos = [celdas for nombre, celdas in leidas.items() if nombre.startswith(_POR_TIPO)]
    juntas = [str(sum(map(int, fila))) for fila in zip(*tipos, strict=True)]
    for nombre, celdas in leidas.items():
        familia = nombre.partition(".")[0]
        if nombre in _GRUPOS:
            yield _Columna(nombre, [*celdas[:-1], ""], _SIEMPRE, es_texto=True)
        elif nombre not in _NO_SE_ENSEÑAN:
            if celdas is tipos[0]:
                yield from _con_barra("conversiones", juntas)
            if nombre.startswith(_POR_TIPO) and celdas == juntas:
                # De un solo tipo: ya están.
                continue
            if familia in _CON_BARRA:
                yield from _con_barra(nombre, celdas)
            else:
                yield _Columna(nombre, celdas, _IMPORTAN.get(familia, _LO_ULTIMO))


def _leidas(informe: InformeDeAlguien) -> dict[str, list[str]]:
    """Por su nombre, las celdas de cada columna del CSV, y al final la del total."""
    como = escritura_de(informe, Formato.CSV)
    escrito = como.entera([*informe.filas, total_como_fila(informe)]).decode()
    nombres, *filas = csv.reader(io.StringIO(escrito, newline=""), strict=True)
    limpias = ([imprimible(sin_proteger(celda)) for celda in fila] for fila in filas)
    return dict(zip(nombres, map(list, zip(*limpias, strict=True)), strict=True))


def _momentos(desdes: Sequence[str], incompletos: Sequence[str]) -> Sequence[str]:
    """Cuándo empieza cada fila; solo la fecha, si todas empiezan con su día."""
    *desdes, _ = desdes
    if all(_MEDIANOCHE in desde for desde in desdes):
        cortos = [desde.partition("T")[0] for desde in desdes]
    else:
        hasta = _HASTA_LOS_MINUTOS
        cortos = [f"{desde[:hasta]}{desde[hasta + _SEGUNDOS :]}".replace("T", " ") for desde in desdes]
    marcas = [_SIN_ACABAR if incompleto == "true" else "" for incompleto in incompletos[:-1]]
    return [*(f"{corto}{marca}" for corto, marca in zip(cortos, marcas, strict=True)), "Total"]


def _con_barra(nombre: str, celdas: Sequence[str]) -> Iterator[_Columna]:
    yield _Columna(nombre, celdas, _LO_PRIMERO)
    *cifras, _ = (Decimal(celda or 0) for celda in celdas)
    mayor = max(cifras, default=Decimal(0))
    # Una sola no se compara con nada.
    if mayor and len(cifras) > 1:
        barras = [_barra(Fraction(cifra) / Fraction(mayor)) for cifra in cifras]
        yield _Columna(nombre, [*barras, ""], _BARRAS, es_barra=True)


def _barra(parte: Fraction) -> str:
    """Una que llena esa parte de su sitio; lo que no es nada no tiene, y lo que es algo se ve."""
    octavos = -(-parte * _ANCHO_DE_UNA_BARRA * len(_OCTAVOS) // 1)
    llenos, resto = divmod(int(octavos), len(_OCTAVOS))
    return _ENTERO * llenos + _OCTAVOS[resto].strip()


def _titulo(informe: InformeDeAlguien, de: str) -> str:
    desde, hasta = informe.desde.isoformat(), informe.hasta.isoformat()
    titulo = f"{imprimible(de)}: de {desde} a {hasta}, {informe.zona}"
    comparado = informe.total.comparacion
    if comparado is UNSET:
        return titulo
    return f"{titulo}\nFrente a: de {comparado.desde.isoformat()} a {comparado.hasta.isoformat()}"
