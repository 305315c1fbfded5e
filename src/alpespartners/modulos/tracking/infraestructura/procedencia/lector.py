"""El lector de procedencias: los pasos en orden, y lo que uno que falla deja sin saber.

Qué es: el adaptador del puerto `Lector`. Cada paso es una función pura de su archivo; aquí se llaman, se
recuerda lo ya leído y se reúne el resultado.
Qué no es: reglas; ninguna está aquí salvo el orden en que se cree a la procedencia, al agente y a `utm_*`.
Por qué existe: un defecto en una regla no puede impedir que se registre una venta.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Final, TypeVar

from alpespartners.modulos.tracking.dominio.contenido import Contenido, ContenidoImpresion
from alpespartners.modulos.tracking.dominio.lectura import (
    EN_LA_PAGINA,
    NO_EVALUADA,
    PROCEDENCIA,
    Lectura,
    señales_ajenas,
)
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoEvento
from alpespartners.modulos.tracking.infraestructura.procedencia.agente import Agente, LectorDeAgentes
from alpespartners.modulos.tracking.infraestructura.procedencia.clase import clase_de_clic
from alpespartners.modulos.tracking.infraestructura.procedencia.pais import Paises
from alpespartners.modulos.tracking.infraestructura.procedencia.red import (
    DIRECTO,
    PROCEDENCIA_LEIDA,
    anfitrion_de,
    procedencia_de_una_pagina,
    red_de_anfitrion,
    red_de_aplicacion,
)
from alpespartners.modulos.tracking.infraestructura.procedencia.robot import JuezDeRobots, robot_del_anfitrion
from alpespartners.modulos.tracking.infraestructura.procedencia.utm import red_de_utm

T = TypeVar("T")
U = TypeVar("U")

REGLAS: Final = "1"
"""Las de este paquete: aumenta con cada cambio de lo que dicen."""
_DATOS: Final = (("ua", "ua-parser-builtins"), ("robots", "crawler-user-agents"))
_RECORDADOS: Final = 4_096

_Señales = tuple[str, ...]
_Fallos = tuple[str, ...]
_SIN_AGENTE: Final[tuple[Agente, _Señales, _Fallos]] = (Agente(), (), ())
_SIN_PROCEDENCIA: Final[tuple[str | None, _Señales, _Fallos]] = (None, (), ())


class LectorDeProcedencias:
    """Lee procedencias; cumple el puerto `Lector`. Prepararlo cuesta unas décimas de segundo.

    Args:
        paises: quien sabe de qué país es una dirección.
        al_fallar: recibe el nombre de cada paso que falla, cada vez.
    """

    def __init__(self, paises: Paises, al_fallar: Callable[[str], None]) -> None:
        self._agentes, self._robots, self._paises = LectorDeAgentes(), JuezDeRobots(), paises
        self._al_fallar = al_fallar
        self._reglas = "/".join(
            [REGLAS, *(f"{datos}-{version(paquete)}" for datos, paquete in _DATOS), paises.reglas]
        )
        self._del_agente = lru_cache(_RECORDADOS)(self._leer_agente)
        self._de_procedencia = lru_cache(_RECORDADOS)(self._leer_procedencia)
        self._reunir = lru_cache(_RECORDADOS)(self._reunida)

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        """Lo que se lee de ese contenido y de lo que supo quien lo recibió; nunca lanza.

        Un paso que falla deja `NO_EVALUADA` entre las señales.
        """
        metadatos = contenido.metadatos
        agente, del_agente, fallos = _SIN_AGENTE
        if metadatos.user_agent:
            agente, del_agente, fallos = self._del_agente(metadatos.user_agent)
        red, de_la_procedencia, _ = _SIN_PROCEDENCIA
        recibidas = señales_ajenas(señales) if señales else ()
        procedencia = metadatos.referrer
        if EN_LA_PAGINA in recibidas:
            de_donde = partial(procedencia_de_una_pagina, procedencia)
            procedencia, mas = _intentar("red", de_donde, contenido.propiedades.get(PROCEDENCIA))
            fallos += mas
        if procedencia:
            red, de_la_procedencia, mas = self._de_procedencia(procedencia[:PROCEDENCIA_LEIDA])
            fallos += mas
        if red is None:
            red = red_de_aplicacion(agente.aplicacion)
            if red is None and contenido.propiedades:
                red, mas = _intentar("utm", red_de_utm, contenido.propiedades)
                fallos += mas
        if red is None and not fallos:
            red = DIRECTO
        pais = None
        if metadatos.ip_address:
            pais, mas = _intentar("pais", self._paises.de, metadatos.ip_address)
            fallos += mas
        for paso in fallos:
            self._al_fallar(paso)
        es_clic = isinstance(contenido, ContenidoImpresion) and contenido.tipo_evento is TipoEvento.CLIC
        halladas = del_agente + de_la_procedencia
        return self._reunir(agente, red, pais, halladas, recibidas, es_clic, bool(fallos))

    def _leer_agente(self, texto: str) -> tuple[Agente, _Señales, _Fallos]:
        agente, fallos = _intentar("agente", self._agentes.leer, texto)
        señales, mas = _intentar("robot", self._robots.del_agente, texto)
        return agente or Agente(), señales or (), fallos + mas

    def _leer_procedencia(self, texto: str) -> tuple[str | None, _Señales, _Fallos]:
        anfitrion, fallos = _intentar("red", anfitrion_de, texto)
        if not anfitrion:
            return None, (), fallos
        red, fallos = _intentar("red", red_de_anfitrion, anfitrion)
        señales, mas = _intentar("robot", robot_del_anfitrion, anfitrion)
        return red, señales or (), fallos + mas

    def _reunida(
        self,
        agente: Agente,
        red: str | None,
        pais: str | None,
        halladas: _Señales,
        recibidas: _Señales,
        es_clic: bool,  # noqa: FBT001 (es clave de lo recordado, y va por su lugar)
        algo_fallo: bool,  # noqa: FBT001
    ) -> Lectura:
        bot = bool(halladas)
        return Lectura(
            reglas=self._reglas,
            navegador=agente.navegador,
            sistema=agente.sistema,
            dispositivo=agente.dispositivo,
            aplicacion=agente.aplicacion,
            red=red,
            pais=pais,
            bot=bot,
            señales=(*halladas, NO_EVALUADA) if algo_fallo else halladas,
            recibidas=recibidas,
            clase=clase_de_clic(recibidas, bot=bot) if es_clic else None,
        )


def _intentar(nombre: str, paso: Callable[[U], T], dado: U) -> tuple[T | None, _Fallos]:
    """Lo que dice un paso, o que falló."""
    try:
        return paso(dado), ()
    except Exception:  # noqa: BLE001 (un defecto de una regla: se cuenta, y el evento se registra)
        return None, (nombre,)
