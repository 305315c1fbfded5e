"""Una campaña con un poco de todo, y lo que su informe de la API dice, escrito como en el panel."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, Final
from urllib.parse import quote

from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES
from alpespartners.modulos.informes.dominio.metricas import Razon
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.lectura import ClaseDeClic, Lectura
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion
from alpespartners.modulos.tracking.infraestructura.procedencia import robot
from alpespartners.panel.formato import NADA, cantidad, importe, porcentaje, razon_en_dinero
from alpespartners.panel.idiomas import Idioma
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria

AHORA: Final = datetime(2024, 4, 15, 15, 36, tzinfo=UTC)
HOSTIL: Final = "<img src=x onerror=alert(1)>/ñ&\"'%2F"
VISTA: Final = f"/panel/campa%C3%B1as/{quote(HOSTIL, safe='')}"
INFORME: Final = f"/tracking/campa%C3%B1as/{quote(HOSTIL, safe='')}/informe"
_DIAS: Final = 75
_ENTRE_VECES: Final = 7
_INFLUENCERS: Final = ("inf-1", "inf-2", "<b>inf</b>/3", "inf-4")
_CUPONES: Final = (None, "PROMO10", "<i>50%</i>", None, None)
_IMPORTES: Final = (Decimal("150000.0"), Decimal("89900.5"), Decimal("0.75"))

_DE_UN_ROBOT = (robot.AGENTE_DE_ROBOT, "<b>otra_señal</b>", robot.REFERRER_DE_SPAM)
_DE_DONDE: tuple[dict[str, Any], ...] = (
    {"red": "instagram", "dispositivo": "movil", "pais": "CO"},
    {"red": "<i>red</i>", "dispositivo": "escritorio", "pais": "<u>"},
    {"red": "directo", "pais": "ES"},
    {"dispositivo": "tableta"},
)
_CLASES = (*(clase.value for clase in ClaseDeClic), None)


def llenar(puertos: PuertosEnMemoria, campaña_id: str = HOSTIL) -> None:
    """Registra sus eventos: cada siete horas unos cuantos, distintos de los de las otras veces."""
    horas = range(0, _DIAS * 24, _ENTRE_VECES)
    numero = 0
    for vez, hora in enumerate(horas):
        timestamp = AHORA - timedelta(hours=hora, minutes=hora % 60)
        comunes: dict[str, Any] = {"campaña_id": campaña_id, "timestamp": timestamp, "recibido_en": timestamp}
        for tipo in ("IMPRESION", *["CLIC"] * (vez % 3), *["VISUALIZACION"] * (vez % 2)):
            numero += 1
            quien: dict[str, Any] = {
                "influencer_id": _INFLUENCERS[numero % 3],
                "usuario_id": f"u-{numero % 60}",
            }
            _guardar(puertos, numero, impresion(tipo_evento=tipo, **quien, **comunes))
        if vez % 4 == 0:
            numero += 1
            tipo_conversion = [*TipoConversion][vez // 4 % 3]
            con_valor = tipo_conversion is TipoConversion.VENTA or vez % 8 == 0
            valor = _IMPORTES[vez // 12 % len(_IMPORTES)] if con_valor else None
            suyo: dict[str, Any] = {
                "influencer_id": _INFLUENCERS[numero % 4],
                "cupon": _CUPONES[numero % len(_CUPONES)],
                "tipo_conversion": tipo_conversion,
                "valor": valor,
                "moneda": None if valor is None else ("COP", "USD")[numero % 2],
            }
            _guardar(puertos, numero, conversion(**suyo, **comunes))


def _guardar(puertos: PuertosEnMemoria, numero: int, evento: Any) -> None:
    clase = clases.CONVERSIONES if type(evento).__name__ == "Conversion" else clases.IMPRESIONES
    puertos.registrado.libros[clase].eventos[f"e-{numero}"] = evento


def leer_procedencias(puertos: PuertosEnMemoria) -> None:
    """Lee lo registrado: de cada clase, de varias procedencias, y algo sin leer."""
    casos = zip(cycle(_DE_DONDE), cycle(_CLASES), cycle(_DE_UN_ROBOT))
    for libro in puertos.registrado.libros.values():
        for identidad, evento in libro.eventos.items():
            de_donde, clase, señal = next(casos)
            if clase is None:
                continue
            de_robot = clase == ClaseDeClic.BOT
            es_clic = getattr(evento.contenido, "tipo_evento", None) == "CLIC"
            lectura = Lectura(
                reglas="1",
                bot=de_robot,
                señales=(señal,) if de_robot else (),
                clase=clase if es_clic else None,
                **de_donde,
            )
            libro.eventos[identidad] = replace(evento, lectura=lectura)


def llenar_de_influencers(puertos: PuertosEnMemoria, campaña_id: str, cuantos: int) -> None:
    """Registra una impresión de cada uno de tantos influencers."""
    for numero in range(cuantos):
        comunes: dict[str, Any] = {"campaña_id": campaña_id, "timestamp": AHORA, "recibido_en": AHORA}
        _guardar(puertos, -1 - numero, impresion(influencer_id=f"inf-{numero}", **comunes))


class EnElPanel:
    """Una fila o un total de la API, escrito como en el panel en español."""

    def __init__(self, medido: Mapping[str, Any], monedas: Sequence[str]) -> None:
        self._medido = medido
        self._monedas = monedas

    @property
    def conversiones(self) -> str:
        """Cuántas, de todos los tipos."""
        return cantidad(sum(self._medido["conversiones"].values()))

    def cuantos(self, metrica: str) -> str:
        """El recuento de esa."""
        return cantidad(self._medido[metrica])

    def por_ciento(self, metrica: str) -> str:
        """Esa razón."""
        return porcentaje(_razon(self._medido[metrica]), Idioma.ESPAÑOL)

    def de_ventas(self) -> tuple[str, str]:
        """Las ventas, y las que hubo por clic, con cuántos son si son pocos."""
        ventas, clics = self._medido["conversiones"]["VENTA"], self._medido["clics"]
        pocos = f" {ventas} de {clics}: pocos clics" if 0 < clics < CLICS_SUFICIENTES else ""
        return cantidad(ventas), porcentaje(Razon(ventas, clics), Idioma.ESPAÑOL) + pocos

    def valor(self, moneda: str, sin_nada: str) -> str:
        """El de esa moneda."""
        valores = self._medido["valor"]
        return importe(Decimal(valores[moneda]), moneda, Idioma.ESPAÑOL) if moneda in valores else sin_nada

    def cifras(self) -> dict[str, str]:
        """Las de la cabecera, por su nombre."""
        cifras = {
            "Impresiones": self.cuantos("impresiones"),
            "Clics": self.cuantos("clics"),
            "Visualizaciones": self.cuantos("visualizaciones"),
            "Conversiones": self.conversiones,
            "CTR": self.por_ciento("ctr"),
            "Tasa de conversión": self.por_ciento("tasa_conversion"),
        }
        for moneda in self._monedas:
            cifras[f"Valor en {moneda}"] = self.valor(moneda, f"0,00\N{NO-BREAK SPACE}{moneda}")
            for metrica, nombre in (
                ("ticket_medio", "Valor medio de una venta"),
                ("valor_por_clic", "Valor por clic"),
            ):
                razon = self._medido[metrica].get(moneda)
                cifras[f"{nombre}, en {moneda}"] = (
                    NADA if razon is None else razon_en_dinero(_razon(razon), moneda, Idioma.ESPAÑOL)
                )
        return cifras


def monedas_de(total: Any) -> list[str]:
    """Las de un total de la API y, si se compara, las de antes."""
    return sorted({*total["valor"], *total.get("comparacion", {"valor": {}})["valor"]})


def fila_de_la_serie(fila: Any, monedas: Sequence[str]) -> list[str]:
    """Las celdas de una fila de la API en la tabla de la serie, sin la primera, que dice cuándo."""
    los_dos = [EnElPanel(medido, monedas) for medido in (fila, fila.get("comparacion")) if medido]
    return [
        *(uno.cuantos("impresiones") for uno in los_dos),
        *(uno.cuantos("clics") for uno in los_dos),
        *(uno.cuantos("visualizaciones") for uno in los_dos),
        *(uno.conversiones for uno in los_dos),
        *(uno.valor(moneda, f"0,00\N{NO-BREAK SPACE}{moneda}") for moneda in monedas for uno in los_dos),
    ]


def _razon(escrita: Mapping[str, Any]) -> Razon:
    return Razon(Decimal(escrita["numerador"]), escrita["denominador"])
