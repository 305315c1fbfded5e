"""Las vistas del panel con datos concretos: lo que recorren las pruebas que valen para todas.

Existe para que una vista nueva no pueda faltar en ninguna: la que no está en la tabla hace fallar la prueba
que las cuenta.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tests.apoyo.memoria import rutas_en_memoria

HOSTIL: Final = "<script>alert(1)</script>/ñ&\"'"
OTRO_HOSTIL: Final = "</td><img src=x onerror=alert(2)>%2F'\""
LARGO: Final = "larguisima-" + "x" * 117
CAMPAÑAS: Final = ("verano-2024", "Navidad 2023", "FV/2024/001", "ñandú", HOSTIL, LARGO)
INFLUENCERS: Final = ("ana.perez", "@el_chef", "日本", OTRO_HOSTIL)


IMPRESIONES: Final = "/tracking/impresiones"
CONVERSIONES: Final = "/tracking/conversiones"
ENLACES: Final = "/tracking/enlaces"
_IMPORTES: Final = [("COP", "150000.25"), ("EUR", "19.9"), ("JPY", "1234567")]
_TIPOS: Final = ("VENTA", "REGISTRO", "SUSCRIPCION", "OTRA")


@dataclass(frozen=True, slots=True)
class Vista:
    """Una página del panel.

    Attributes:
        direccion: su ruta, con lo que pide.
        muestra: textos que se han de ver en ella.
        estado: el código HTTP con que responde.
    """

    direccion: str
    muestra: tuple[str, ...] = ()
    estado: int = 200


_CAMPAÑA: Final = f"/panel/campa%C3%B1as/{quote(HOSTIL, safe='')}"
_INFLUENCER: Final = f"/panel/influencers/{quote(OTRO_HOSTIL, safe='')}"
_DE_PRUEBA: Final = "demo-prueba-01890a5d-ac96-774b-bcce-b302099a8057"
_PRUEBA: Final = f"/panel/evento-de-prueba/{_DE_PRUEBA}"
_DE_ENERO: Final = "desde=2024-01-01&hasta=2024-01-16"
_DE_MAS: Final = f"{quote(OTRO_HOSTIL)}=1"

VISTAS: Final[Mapping[str, tuple[Vista, ...]]] = {
    "/panel": (
        Vista("/panel", (HOSTIL, LARGO, "Navidad 2023")),
        Vista(f"/panel?prefijo={quote(HOSTIL)}", (HOSTIL,)),
        Vista("/panel?prefijo=ninguna"),
        Vista(f"/panel?{quote(OTRO_HOSTIL)}=1", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/campañas/{campaña_id}": (
        Vista(f"{_CAMPAÑA}?comparar=periodo_anterior", (HOSTIL, "日本", "<b>COP</b>")),
        Vista(f"{_CAMPAÑA}?zona=Asia/Kolkata&granularidad=semana&orden=valor:EUR", (HOSTIL,)),
        Vista(f"/panel/campa%C3%B1as/{quote(OTRO_HOSTIL, safe='')}", (OTRO_HOSTIL,), estado=404),
        Vista(f"{_CAMPAÑA}?zona={quote(OTRO_HOSTIL)}", ("zona",), estado=422),
        Vista(f"{_CAMPAÑA}?{_DE_ENERO}", (HOSTIL, "COP")),
        Vista(f"{_CAMPAÑA}?{_DE_ENERO}&bots=excluir", (HOSTIL, "COP")),
        Vista("/panel/campa%C3%B1as/ninguna", ("ninguna",), estado=404),
        Vista(f"{_CAMPAÑA}?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/campañas/{campaña_id}/en-vivo": (
        Vista(f"{_CAMPAÑA}/en-vivo", (HOSTIL,)),
        Vista("/panel/campa%C3%B1as/Navidad/en-vivo", ("Navidad 2023",)),
        Vista(f"{_CAMPAÑA}/en-vivo?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/influencers": (
        Vista("/panel/influencers", (OTRO_HOSTIL, "COP")),
        Vista(f"/panel/influencers?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/influencers/{influencer_id}": (
        Vista(f"{_INFLUENCER}?{_DE_ENERO}", (OTRO_HOSTIL, "COP")),
        Vista(f"{_INFLUENCER}?{_DE_ENERO}&bots=excluir", (OTRO_HOSTIL, "COP")),
        Vista(f"{_INFLUENCER}?zona={quote(OTRO_HOSTIL)}", (OTRO_HOSTIL,), estado=422),
        Vista("/panel/influencers/ninguno", ("ninguno",), estado=404),
        Vista(f"{_INFLUENCER}?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/sistema": (
        Vista("/panel/sistema"),
        Vista(f"/panel/sistema?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/evento-de-prueba": (
        Vista("/panel/evento-de-prueba"),
        Vista(f"/panel/evento-de-prueba?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/evento-de-prueba/{id}": (
        Vista(_PRUEBA, (_DE_PRUEBA,)),
        Vista(f"{_PRUEBA}?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/evento": (
        Vista("/panel/evento"),
        Vista(f"/panel/evento?id={quote(HOSTIL, safe='')}", (HOSTIL, "conflicto_de_id")),
        Vista(f"/panel/evento?id={quote(OTRO_HOSTIL, safe='')}", (OTRO_HOSTIL,)),
        Vista(f"/panel/evento?id={quote(LARGO + LARGO, safe='')}", estado=422),
    ),
    "/panel/enlaces": (
        Vista("/panel/enlaces", (HOSTIL, OTRO_HOSTIL, "ana-verano")),
        Vista(f"/panel/enlaces?campa%C3%B1a_id={quote(HOSTIL, safe='')}", (HOSTIL,)),
        Vista("/panel/enlaces?influencer_id=nadie"),
        Vista(f"/panel/enlaces?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/enlaces/{enlace_id}": (
        Vista("/panel/enlaces/ana-verano", (HOSTIL, OTRO_HOSTIL, "<b>JUAN10</b>")),
        Vista("/panel/enlaces/ninguno", estado=404),
        Vista(f"/panel/enlaces/ana-verano?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/enlace-nuevo": (
        Vista(f"/panel/enlace-nuevo?campa%C3%B1a_id={quote(HOSTIL, safe='')}"),
        Vista(f"/panel/enlace-nuevo?{_DE_MAS}", (OTRO_HOSTIL,), estado=422),
    ),
    "/panel/rechazos": (
        Vista("/panel/rechazos", (HOSTIL, "conflicto_de_id")),
        Vista("/panel/rechazos?estado=ILEGIBLE"),
        Vista(f"/panel/rechazos?{quote(OTRO_HOSTIL)}=1", (OTRO_HOSTIL,), estado=422),
    ),
}
"""Las de cada plantilla de ruta: al menos una con datos hostiles, y la de sus errores si recibe algo."""

TODAS: Final = tuple(vista for suyas in VISTAS.values() for vista in suyas)

NO_SON_PAGINAS: Final = frozenset(
    {
        "/panel/campañas/{campaña_id}/periodo",
        "/panel/enlaces/{enlace_id}/qr.svg",
        "/panel/entrar",
        "/panel/idioma",
        "/panel/influencers/{influencer_id}/periodo",
        "/panel/recursos/{huella}/{nombre}",
    }
)
"""Las demás que se leen bajo `/panel`: lo que una página carga, y lo que solo lleva a otra. La entrada es de
estas donde no hay claves, como aquí."""


def plantillas_que_se_leen() -> set[str]:
    """Las de las rutas `GET` del panel."""
    return {
        ruta.plantilla
        for ruta in rutas_en_memoria()
        if ruta.metodo == "GET" and ruta.plantilla.partition("/panel")[0] == ""
    }


def peticiones() -> Iterator[tuple[str, dict[str, Any]]]:
    """Los `POST` que dejan datos variados: algunos repetidos, otros en conflicto y uno que se rechaza."""
    for orden in range(6 * len(CAMPAÑAS)):
        vuelta = orden // len(CAMPAÑAS)
        yield IMPRESIONES, _comun(orden) | {"tipo_evento": ("IMPRESION", "CLIC", "VISUALIZACION")[vuelta % 3]}
        moneda, valor = _IMPORTES[vuelta % len(_IMPORTES)]
        dinero = {"valor": valor, "moneda": moneda, "cupon": f"<b>{moneda}</b>"}
        yield CONVERSIONES, _comun(orden) | {"tipo_conversion": _TIPOS[orden % len(_TIPOS)]} | dinero
    for tipo in ("CLIC", "CLIC", "VISUALIZACION"):
        yield IMPRESIONES, _comun(0) | {"id": HOSTIL, "tipo_evento": tipo}
    yield IMPRESIONES, _comun(0) | {"id": _DE_PRUEBA, "tipo_evento": "IMPRESION"}
    yield CONVERSIONES, _comun(0) | {"id": HOSTIL, "tipo_conversion": "REGISTRO"}
    yield CONVERSIONES, _comun(0) | {"id": OTRO_HOSTIL, "tipo_conversion": HOSTIL}
    enlace = {"campaña_id": HOSTIL, "influencer_id": OTRO_HOSTIL, "cupon": "<b>JUAN10</b>"}
    destino = f"https://tienda.com/{'larguisima/' * 30}?q=%3Cb%3E"
    yield ENLACES, enlace | {"enlace_id": "ana-verano", "destino": destino}
    pasado = {"destino": "https://tienda.com/", "vence_en": "2024-01-01T00:00:00Z"}
    yield ENLACES, {"enlace_id": "x" * 64, "campaña_id": LARGO, "influencer_id": LARGO} | pasado


def _comun(orden: int) -> dict[str, Any]:
    """Lo de cualquier evento; cada influencer sale con varias campañas."""
    return {
        "campaña_id": CAMPAÑAS[orden % len(CAMPAÑAS)],
        "influencer_id": INFLUENCERS[orden % len(INFLUENCERS)],
        "usuario_id": f"usuario-{orden % 7}",
        "user_agent": "Googlebot/2.1" if orden % 5 == 0 else "Mozilla/5.0 <script>alert(3)</script>",
        "referrer": "https://ejemplo.test/?q=<img src=x onerror=alert(4)>",
        "timestamp": f"2024-01-{1 + orden % 14:02}T{orden % 24:02}:30:00Z",
        "propiedades": {"<b>utm</b>": HOSTIL},
    }
