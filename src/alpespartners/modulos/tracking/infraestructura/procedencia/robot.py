"""Si un agente de usuario o una procedencia son los de un robot, y por qué.

Qué es: un paso puro de la lectura: da señales, y cualquiera de ellas es un veredicto de robot.
Qué no es: un motivo para no registrar nada. Tampoco una caza: quien finge ser un navegador no se ve aquí.
Por qué existe: de los clics de un enlace público, muchos son de buscadores y de vistas previas, y a nadie se
le paga por ellos.

Los robots que se conocen son los de `crawler-user-agents`, que dice de cada uno qué hace; a los demás los
delata una palabra. Todo se evalúa en tiempo lineal. Que falte el agente no es una señal: un servidor no
siempre lo sabe.
"""

import re
from typing import Final

from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from ua_parser_rs import UserAgentExtractor

from alpespartners.modulos.tracking.infraestructura.procedencia.agente import LEIDOS

AGENTE_DE_ROBOT: Final = "agente_de_robot"
AGENTE_DE_PROGRAMA: Final = "agente_de_programa"
AGENTE_DE_VISTA_PREVIA: Final = "agente_de_vista_previa"
NAVEGADOR_SIN_PANTALLA: Final = "navegador_sin_pantalla"
REFERRER_DE_SPAM: Final = "referrer_de_spam"

_DE_LA_LISTA: Final = {
    "http-library": AGENTE_DE_PROGRAMA,
    "social-preview": AGENTE_DE_VISTA_PREVIA,
    "browser-automation": NAVEGADOR_SIN_PANTALLA,
}
"""La señal de cada etiqueta de la lista; la de las demás es `agente_de_robot`."""

_DE_PERSONAS: Final = frozenset({"okhttp"})
"""Lo que la lista da por robot y aquí no: con ella envían las aplicaciones de Android de quien las usa."""

# «Cubot» fabrica teléfonos.
_PALABRAS: Final = re.compile(
    r"(?<!cu)bot|spider|crawl|scrap(?:er|y|ing)|slurp|headless|archiver|indexer", re.IGNORECASE
)
_PROGRAMAS: Final = re.compile(
    r"(?:java|python|ruby|perl|php|deno|bun|undici|postmanruntime|insomnia|httpie|restsharp|libwww|lwp|guzzle"
    r"|faraday|aiohttp|powershell|jmeter|k6|siege)\b",
    re.IGNORECASE,
)

_ANFITRIONES_DE_SPAM: Final = frozenset(
    {
        "semalt.com",
        "buttons-for-website.com",
        "buttons-for-your-website.com",
        "best-seo-offer.com",
        "best-seo-solution.com",
        "darodar.com",
        "econom.co",
        "free-share-buttons.com",
        "free-social-buttons.com",
        "get-free-traffic-now.com",
        "hulfingtonpost.com",
        "ilovevitaly.com",
        "priceg.com",
        "site-auditor.online",
        "success-seo.com",
        "trafficmonetize.org",
        "webmonetizer.net",
        "4webmasters.org",
        "100dollars-seo.com",
    }
)
"""Los que más se han visto enviar visitas falsas para que se miren: pocos, y no pretenden ser todos."""


class JuezDeRobots:
    """Reconoce los robots de la lista y los que se delatan; prepararlo cuesta unas centésimas de segundo."""

    def __init__(self) -> None:
        self._conocidos = UserAgentExtractor(
            (robot["pattern"], _señal(robot.get("tags", ())), None, None, None, None)
            for robot in CRAWLER_USER_AGENTS_DATA
            if robot["pattern"] not in _DE_PERSONAS
        )

    def del_agente(self, agente: str) -> tuple[str, ...]:
        """Las señales que da ese agente."""
        leido = agente[:LEIDOS]
        conocido = self._conocidos.extract(leido)
        if conocido is not None:
            return (conocido.family,)
        if _PALABRAS.search(leido):
            return (AGENTE_DE_ROBOT,)
        return (AGENTE_DE_PROGRAMA,) if _PROGRAMAS.match(leido) else ()


def robot_del_anfitrion(anfitrion: str) -> tuple[str, ...]:
    """Las señales que da el anfitrión de una procedencia."""
    partes = anfitrion.split(".")
    dominios = {".".join(partes[desde:]) for desde in range(max(len(partes) - 3, 0), len(partes))}
    return () if dominios.isdisjoint(_ANFITRIONES_DE_SPAM) else (REFERRER_DE_SPAM,)


def _señal(etiquetas: tuple[str, ...]) -> str:
    return next((_DE_LA_LISTA[una] for una in etiquetas if una in _DE_LA_LISTA), AGENTE_DE_ROBOT)
