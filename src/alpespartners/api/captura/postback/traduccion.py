"""De los parámetros de un postback a una conversión por recibir, según la tabla de su dialecto.

Qué es: una función pura. Lo que la tabla no coloca en un campo queda entre las propiedades, con su nombre.
Qué no es: un juicio: si un importe no vale, o falta la moneda, lo dirá quien recibe, como a cualquiera.
Por qué existe: a una red no se le puede pedir que corrija lo que envía, y solo mira si se le respondió bien:
todo lo que llega con una clave buena tiene que acabar en un destino.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid5

from alpespartners.api.captura.postback.estados import tipo_del_estado
from alpespartners.api.captura.postback.macros import es_macro
from alpespartners.api.captura.postback.tabla import CLAVE, ESTADOS, PROPIAS, Tabla
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo, Fallo
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion
from alpespartners.modulos.tracking.dominio.propiedades import nombre_legible

Parametros = Sequence[tuple[str, str]]
"""Nombre y valor de cada uno, en su orden."""

_NO_RECHAZAN: Final = frozenset({"clic_id", "user_agent", "ip_address", "referrer"})
"""Los campos por los que no se rechaza una conversión."""
_DE_LA_URL: Final = frozenset({CLAVE, ESTADOS})
_OBJETIVO_DE_SIEMPRE: Final = "0"


def entrada_de(parametros: Parametros, tabla: Tabla, permiso: Permiso) -> Entrada:
    """Traduce un postback.

    Args:
        parametros: los suyos.
        tabla: la de su dialecto.
        permiso: el de su clave: si es de una sola campaña, lo que no nombra ninguna es de ella.
    """
    leido = _Leido(parametros, tabla)
    campos = {campo: valor for campo in PROPIAS if (valor := leido.tomar(campo)) is not None}
    if "campaña_id" not in campos and permiso.campañas is not None and len(permiso.campañas) == 1:
        (campos["campaña_id"],) = permiso.campañas
    es_conversion, del_estado = leido.estado()
    campos.setdefault("tipo_conversion", del_estado or _tipo_por_omision(campos))
    derivado = leido.id_derivado(campos)
    negacion: MotivoDeIgnorar | Sequence[Fallo] | None = leido.faltas or None
    if not es_conversion:
        # Aunque tenga faltas: una prueba de la red con sus macros no es un rechazo por el que alarmarse.
        negacion = MotivoDeIgnorar.ESTADO_QUE_NO_CUENTA
    propiedades, avisos = leido.lo_demas()
    cuerpo: dict[str, object] = {**campos, "propiedades": propiedades}
    return Entrada(CONVERSIONES, cuerpo, derivado, negacion, consta=True, avisos=avisos)


def _tipo_por_omision(campos: Mapping[str, str]) -> TipoConversion:
    return TipoConversion.VENTA if "valor" in campos else TipoConversion.OTRA


class _Leido:
    """Los parámetros de un postback, y lo que se va sabiendo de ellos.

    Attributes:
        faltas: por qué no se puede registrar.
    """

    def __init__(self, parametros: Parametros, tabla: Tabla) -> None:
        self._tabla = tabla
        # Vacío es ausente: es como una red dice que no tiene ese dato.
        self._pares = [(en_nfc(nombre), valor) for nombre, valor in parametros if valor.strip()]
        self._dichos: dict[str, str] = {}
        self._repetidos: set[str] = set()
        for nombre, valor in self._pares:
            if self._dichos.setdefault(nombre, valor) != valor:
                self._repetidos.add(nombre)
        self._tomados: set[str] = set()
        self.faltas: list[Fallo] = []

    def tomar(self, campo: str) -> str | None:
        """Lo que dice de ese campo; lo que no se puede creer no lo toma, y deja la falta si es para tanto."""
        for parametro in self._fuentes(campo):
            valor = self._dichos.get(parametro)
            falta = None if valor is None else self._falta(campo, parametro, valor)
            if valor is not None and falta is None:
                self._tomados.add(parametro)
                return valor.strip()
            if falta is not None and campo not in _NO_RECHAZAN:
                self.faltas.append(falta)
                return None
        return None

    def estado(self) -> tuple[bool, TipoConversion | None]:
        """Dice si es una conversión y, si lo dice su estado, de qué tipo."""
        parametro = next((nombre for nombre in self._tabla.estado if nombre in self._dichos), None)
        if parametro is None:
            return True, None
        falta = self._falta("estado", parametro, self._dichos[parametro])
        try:
            if falta is None:
                return tipo_del_estado(self._dichos[parametro], self._dichos, self._tabla)
        except CampoInvalido as invalido:
            falta = invalido.fallo
        self.faltas.append(falta)
        return True, None

    def id_derivado(self, campos: dict[str, str]) -> str | None:
        """El `id` si no trae uno, siempre el mismo para la misma conversión; `None` si no hay de qué sacarlo.

        Quita de los campos el de la red, si no distingue un objetivo de otro. Sin él, un clic logra una vez
        cada cosa: el importe no cuenta, porque el de un reintento puede venir corregido.
        """
        parametro = next((nombre for nombre in self._tabla.objetivo if nombre in self._dichos), None)
        objetivo = None if parametro is None else self._dichos[parametro].strip()
        de_la_red = campos.get("id")
        no_basta = self._tabla.id_por_objetivo and self._tomados.isdisjoint(PROPIAS["id"])
        if parametro is None or objetivo == _OBJETIVO_DE_SIEMPRE:
            objetivo = None
        elif de_la_red is None or no_basta:
            falta = self._falta("id", parametro, self._dichos[parametro])
            if falta is not None:
                self.faltas.append(falta)
        clic = campos.get("clic_id")
        if de_la_red is not None and objetivo is not None and no_basta:
            del campos["id"]
            self._tomados -= set(self._fuentes("id"))
        elif clic is None:
            self._exigir_con_que_nombrarla(campos)
            return None
        else:
            de_la_red = None
        dicho = [campos.get("campaña_id"), clic, campos["tipo_conversion"], objetivo, de_la_red]
        return str(uuid5(self._tabla.espacio, json.dumps(dicho)))

    def lo_demas(self) -> tuple[Mapping[str, str], Sequence[str]]:
        """Lo que no está en ningún campo, con su nombre, y lo que hay que advertir de ello."""
        callados = _DE_LA_URL | self._tabla.se_callan | {*self._tabla.devolver, *self._tabla.mapas}
        propiedades: dict[str, str] = {}
        avisos: dict[str, None] = {}
        for nombre, valor in self._pares:
            if nombre.lower() in callados or nombre in self._tomados:
                continue
            if es_macro(valor):
                avisos[f"{CodigoDePeticion.MACRO_SIN_REEMPLAZAR}:{nombre_legible(nombre)}"] = None
            libre, numero = nombre, 1
            while propiedades.get(libre, valor) != valor:
                numero += 1
                libre = f"{nombre}_{numero}"
            propiedades[libre] = valor
        return propiedades, [*avisos]

    def _exigir_con_que_nombrarla(self, campos: Mapping[str, str]) -> None:
        """Anota la falta de quien no trae un `id` y cuyo clic, que lo daría, no se puede creer."""
        if "id" in campos or any(falta.campo == "id" for falta in self.faltas):
            return
        for parametro in self._fuentes("clic_id"):
            falta = self._falta("id", parametro, self._dichos.get(parametro, ""))
            if falta is not None:
                self.faltas.append(falta)
                return

    def _fuentes(self, campo: str) -> Sequence[str]:
        return (*PROPIAS[campo], *self._tabla.fuentes.get(campo, ()))

    def _falta(self, campo: str, parametro: str, valor: str) -> Fallo | None:
        if parametro in self._repetidos:
            return Fallo(
                campo, Codigo.CAMPO_REPETIDO, f"el parámetro «{parametro}» aparece con valores distintos"
            )
        return _de_macro(campo, parametro) if es_macro(valor) else None


def _de_macro(campo: str, parametro: str) -> Fallo:
    return Fallo(
        campo,
        CodigoDePeticion.MACRO_SIN_REEMPLAZAR,
        f"el parámetro «{parametro}» trae una macro que la red no reemplazó",
    )
