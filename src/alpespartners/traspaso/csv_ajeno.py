"""Las filas de un archivo CSV, lo haya escrito quien lo haya escrito: una hoja de cálculo, otro programa.

Qué es: un lector que no se detiene: la fila rota se dice, y la siguiente línea empieza otra. Vale el `;` con
que separa una hoja de cálculo en español.
Qué no es: una validación. El texto de una celda va como está, y un importe con coma decimal lo rechaza la
API.
Por qué existe: a un lector corriente, unas comillas sin cerrar le esconden el resto del archivo.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.mapeadores import ALIAS
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.seedwork.csv_protegido import sin_proteger
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json
from alpespartners.traspaso.cuerpos import campos_que_se_envian, en_octetos
from alpespartners.traspaso.filas import ArchivoIlegible, Fila, FilaRota, clase_que_dicen
from alpespartners.traspaso.lineas import LINEA_MAXIMA, Linea

_SEPARADORES: Final = (",", ";")
_CODIGO: Final = "csv_ilegible"
_LINEAS_POR_FILA: Final = 1_000
"""Las que puede ocupar una fila. Tras unas comillas sin cerrar se leen todas otra vez, y puede haber unas en
cada línea."""


def filas_de_csv(lineas: Iterator[Linea], clase: Clase | None) -> Iterator[Fila | FilaRota]:
    """Da cada fila que tiene algo; la primera línea es la cabecera.

    Args:
        lineas: las del archivo.
        clase: la de todas; si falta, la que diga la columna de tipo.

    Raises:
        ArchivoIlegible: la cabecera no sirve.
    """
    primera = next(lineas, None)
    if primera is None:
        return
    separador, nombres = _cabecera(primera)
    de_todas = clase or clase_que_dicen(nombres)
    if de_todas is None:
        raise ArchivoIlegible(
            "la cabecera no dice de qué clase son las filas: dígalo con --clase, o incluya una columna "
            + " o ".join(posible.campo_tipo for posible in CLASES)
        )
    for registro in _registros(lineas, separador):
        if isinstance(registro, FilaRota):
            yield registro
        elif any(registro.celdas):
            yield _fila(registro, nombres, de_todas)


def _cabecera(linea: Linea) -> tuple[str, list[str]]:
    """El separador con que se reconocen más columnas, y sus nombres."""
    try:
        texto = linea.octetos.decode("utf-8")
        por_separador = {
            separador: [
                en_nfc(sin_proteger(celda).strip())
                for celda in next(csv.reader([texto], delimiter=separador))
            ]
            for separador in _SEPARADORES
            if texto.strip()
        }
    except (UnicodeDecodeError, csv.Error):
        raise ArchivoIlegible("la primera línea no es una cabecera de CSV en UTF-8") from None
    conocidos = {campo for clase in CLASES for campo in clase.dto.__dataclass_fields__} | ALIAS.keys()
    if not linea.cabe or not any(conocidos.intersection(nombres) for nombres in por_separador.values()):
        raise ArchivoIlegible("la primera línea no nombra ninguna columna conocida: campaña_id, timestamp…")
    separador = max(por_separador, key=lambda suyo: len(conocidos.intersection(por_separador[suyo])))
    nombres = por_separador[separador]
    if "" in nombres or len(set(nombres)) < len(nombres):
        raise ArchivoIlegible("en la cabecera hay una columna repetida o sin nombre")
    return separador, nombres


@dataclass(frozen=True, slots=True)
class _Registro:
    numero: int
    texto: str
    celdas: Sequence[str]


class _NoCabe(Exception):
    """Lo que parece una sola fila pasa de lo que cabe: casi siempre, unas comillas sin cerrar."""


class _Fuente:
    """Las líneas que toma el lector de CSV, que pueden devolverse."""

    def __init__(self, lineas: Iterator[Linea]) -> None:
        self._lineas = lineas
        self._devueltas: deque[Linea] = deque()
        self.tomadas: list[Linea] = []
        self._octetos = 0

    def empezar(self) -> None:
        """Olvida las tomadas: empieza otra fila."""
        self.tomadas.clear()
        self._octetos = 0

    def devolver_menos_la_primera(self) -> None:
        """Deja por leer otra vez las tomadas, salvo la primera."""
        self._devueltas.extendleft(reversed(self.tomadas[1:]))

    def __iter__(self) -> "_Fuente":
        return self

    def __next__(self) -> str:
        linea = self._devueltas.popleft() if self._devueltas else next(self._lineas)
        self.tomadas.append(linea)
        self._octetos += len(linea.octetos)
        if not linea.cabe or self._octetos > LINEA_MAXIMA or len(self.tomadas) > _LINEAS_POR_FILA:
            raise _NoCabe
        return linea.octetos.decode("utf-8", "surrogateescape")


def _registros(lineas: Iterator[Linea], separador: str) -> Iterator[_Registro | FilaRota]:
    csv.field_size_limit(LINEA_MAXIMA)
    fuente = _Fuente(lineas)
    lector = csv.reader(fuente, delimiter=separador, strict=True)
    while True:
        fuente.empezar()
        try:
            celdas = next(lector)
        except StopIteration:
            return
        except (csv.Error, _NoCabe):
            primera = fuente.tomadas[0]
            detalle = "tiene comillas mal puestas o sin cerrar" if primera.cabe else "no cabe en un envío"
            yield FilaRota(primera.numero, primera.texto, _CODIGO, f"la línea {detalle}")
            fuente.devolver_menos_la_primera()
            lector = csv.reader(fuente, delimiter=separador, strict=True)
        else:
            texto = (
                "".join(linea.octetos.decode("utf-8", "backslashreplace") for linea in fuente.tomadas)
                .removesuffix("\n")
                .removesuffix("\r")
            )
            yield _Registro(fuente.tomadas[0].numero, texto, celdas)


def _fila(registro: _Registro, nombres: Sequence[str], clase: Clase) -> Fila | FilaRota:
    cuantas = len(registro.celdas)
    if cuantas != len(nombres):
        detalle = f"la fila tiene {cuantas} celdas y la cabecera {len(nombres)}"
        return FilaRota(registro.numero, registro.texto, _CODIGO, detalle)
    campos: dict[str, object] = {}
    try:
        for nombre, celda in zip(nombres, registro.celdas, strict=True):
            celda.encode()
            if celda:
                campos[nombre] = sin_proteger(celda)
    except UnicodeEncodeError:
        return FilaRota(registro.numero, registro.texto, _CODIGO, "la fila no es UTF-8")
    if "propiedades" in campos:
        campos["propiedades"] = _propiedades(str(campos["propiedades"]))
    id_evento = campos.get("id")
    return Fila(
        registro.numero,
        registro.texto,
        clase,
        en_octetos(campos_que_se_envian(campos, clase)),
        None if id_evento is None else str(id_evento),
    )


def _propiedades(texto: str) -> object:
    """El JSON de la celda; si no lo es, su texto, que la API guardará como pueda."""
    try:
        return leer_json(texto.encode())
    except JsonIlegible:
        return texto
