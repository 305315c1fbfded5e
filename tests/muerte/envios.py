"""Lo que envía la carga: eventos con datos al azar, sus variantes y lo que después debe leerse.

Qué es: cuerpos JSON ya normalizados, de modo que lo leído debe ser igual a lo enviado, cifra por cifra.
Qué no es: una prueba de la normalización; eso se prueba aparte.
Por qué existe: quien audita necesita saber, de cada `id`, qué contenidos se enviaron con él.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

IMPRESIONES: Final = "impresiones"
CONVERSIONES: Final = "conversiones"
_NOMBRES: Final = {IMPRESIONES: "impresion", CONVERSIONES: "conversion"}

_CAMPAÑAS: Final = tuple(f"cmp-{numero}" for numero in range(5))
_DECIMALES: Final = {"COP": 2, "JPY": 0, "KWD": 3, "USD": 2}
_PRIMERO: Final = datetime(2024, 1, 1, tzinfo=UTC)
_SEGUNDOS_DE_UN_AÑO: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Envio:
    """Un evento por enviar.

    Attributes:
        clase: `impresiones` o `conversiones`.
        campos: los del cuerpo, tal como se leerán; los que faltan se leen nulos.
        importe_como_numero: si `valor` viaja como número de JSON y no como texto.
    """

    clase: str
    campos: tuple[tuple[str, object], ...]
    importe_como_numero: bool = False

    @property
    def id(self) -> str:
        """El `id` del evento."""
        return str(dict(self.campos)["id"])

    def cuerpo(self) -> bytes:
        """El JSON; el importe va con sus cifras exactas, sin pasar por coma flotante."""
        campos = dict(self.campos)
        importe = campos.get("valor")
        texto = json.dumps(campos, ensure_ascii=False)
        if importe is not None and self.importe_como_numero:
            texto = texto.replace(f'"valor": "{importe}"', f'"valor": {importe}')
        return texto.encode()

    def elemento(self) -> bytes:
        """El mismo JSON con su `clase`: un elemento de un lote."""
        return f'{{"clase": "{_NOMBRES[self.clase]}", '.encode() + self.cuerpo()[1:]

    def con_otro_contenido(self, azar: Random) -> "Envio":
        """El mismo `id` con otro usuario: no es un duplicado sino un conflicto."""
        return replace(
            self, campos=tuple({**dict(self.campos), "usuario_id": f"usr-{azar.getrandbits(40)}"}.items())
        )

    def invalido(self) -> "Envio":
        """El mismo evento con una falta, que la API rechaza sin aceptarlo nunca."""
        campos = {**dict(self.campos), "id": f"inv-{self.id}", "timestamp": "ayer"}
        return replace(self, campos=tuple(campos.items()))


def envio_nuevo(azar: Random, id_evento: str) -> Envio:
    """Un evento válido, impresión o conversión, con ese `id`."""
    instante = _PRIMERO + timedelta(
        seconds=azar.randrange(_SEGUNDOS_DE_UN_AÑO), microseconds=azar.choice((0, 7))
    )
    campos: dict[str, object] = {
        "id": id_evento,
        "campaña_id": azar.choice(_CAMPAÑAS),
        "influencer_id": azar.choice((None, "inf-ñ/1")),
        "usuario_id": f"usr-{azar.randrange(1000)}",
        "user_agent": "Mozilla/5.0",
        "ip_address": "2001:db8::1",
        "referrer": azar.choice((None, "https://instagram.com/p/1?a=b")),
        "timestamp": instante.isoformat().replace("+00:00", "Z"),
        "propiedades": {"canal": azar.choice(("correo", "vídeo"))},
    }
    if azar.random() < 0.5:
        campos["tipo_evento"] = azar.choice(("IMPRESION", "CLIC", "VISUALIZACION"))
        return Envio(IMPRESIONES, tuple(campos.items()))
    moneda = azar.choice(sorted(_DECIMALES))
    decimales = _DECIMALES[moneda]
    entero = azar.choice((0, azar.randrange(10**6), 10**14 - 1))
    fraccion = f".{azar.randrange(10**decimales):0{decimales}}" if decimales else ""
    campos |= {"tipo_conversion": "VENTA", "valor": f"{entero}{fraccion}", "moneda": moneda}
    return Envio(CONVERSIONES, tuple(campos.items()), importe_como_numero=azar.random() < 0.5)
