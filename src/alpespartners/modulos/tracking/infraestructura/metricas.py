"""Lo que cuentan de sí mismos quien publica comandos y quien los consume, para Prometheus.

Qué es: contadores de un proceso, que empiezan en cero con él; entre procesos se suman.
Qué no es: el libro. Lo que se paga sale de la base de datos y del balance, nunca de aquí.
Por qué existe: dicen cuánto tarda y cuánto falla cada paso, que es lo que la base de datos no sabe.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_TRAMOS_DE_CONFIRMACION: Final = (
    0.001,
    0.002,
    0.004,
    0.008,
    0.016,
    0.032,
    0.064,
    0.125,
    0.25,
    0.5,
    1,
    2.5,
    5,
)
_TRAMOS_DE_LOTE: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_TRAMOS_DE_ASIENTO: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_TRAMOS_DE_RETRASO: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200)


class MetricasDePublicacion:
    """Lo que cuenta quien publica comandos.

    Args:
        registro: el del proceso.
    """

    def __init__(self, registro: CollectorRegistry) -> None:
        # Aquí y abajo, cada serie se busca una sola vez: son las de unos pocos tópicos.
        self._aceptados = cache(
            Counter(
                "alpes_comandos_aceptados", "Comandos que el broker confirmó.", ["topico"], registry=registro
            ).labels
        )
        self._sin_confirmar = cache(
            Counter(
                "alpes_comandos_sin_confirmar",
                "Comandos que el broker no confirmó a tiempo: pudo guardarlos o no.",
                ["topico"],
                registry=registro,
            ).labels
        )
        self._segundos = cache(
            Histogram(
                "alpes_confirmacion_segundos",
                "Lo que tarda el broker en confirmar un comando.",
                ["topico"],
                buckets=_TRAMOS_DE_CONFIRMACION,
                registry=registro,
            ).labels
        )

    def aceptado(self, topico: str, segundos: float) -> None:
        """Cuenta un comando confirmado."""
        self._aceptados(topico).inc()
        self._segundos(topico).observe(segundos)

    def sin_confirmar(self, topico: str) -> None:
        """Cuenta un comando del que no se sabe si el broker lo guardó."""
        self._sin_confirmar(topico).inc()


class MetricasDeConsumo:
    """Lo que cuenta quien consume comandos y publica lo que resulta.

    Attributes:
        registro: el del proceso.
    """

    def __init__(self, registro: CollectorRegistry) -> None:
        self.registro = registro
        self._destinos = cache(
            Counter(
                "alpes_destinos",
                "Comandos que este proceso asentó; las reentregas no cuentan.",
                ["topico", "estado", "motivo"],
                registry=registro,
            ).labels
        )
        self._mensajes = cache(
            Histogram(
                "alpes_lote_mensajes",
                "Mensajes de cada transacción.",
                ["topico"],
                buckets=_TRAMOS_DE_LOTE,
                registry=registro,
            ).labels
        )
        self._segundos = cache(
            Histogram(
                "alpes_lote_segundos",
                "Lo que tarda cada transacción.",
                ["topico"],
                buckets=_TRAMOS_DE_ASIENTO,
                registry=registro,
            ).labels
        )
        self._retraso = cache(
            Histogram(
                "alpes_retraso_segundos",
                "Lo que el mensaje más antiguo de cada transacción esperó desde que se publicó.",
                ["topico"],
                buckets=_TRAMOS_DE_RETRASO,
                registry=registro,
            ).labels
        )
        # Sin etiquetas hay una sola serie, que nace a cero: una alarma la mira desde el principio.
        self._fallos = Counter(
            "alpes_base_datos_fallos", "Veces que la base de datos no respondió.", registry=registro
        )
        self._sin_evaluar = cache(
            Counter(
                "alpes_lecturas_sin_evaluar",
                "Pasos de la lectura de una procedencia que fallaron: una regla tiene un defecto.",
                ["paso"],
                registry=registro,
            ).labels
        )
        self._publicados = cache(
            Counter(
                "alpes_envios_publicados",
                "Eventos y cartas que el broker confirmó.",
                ["topico"],
                registry=registro,
            ).labels
        )
        self._devueltos = cache(
            Counter(
                "alpes_envios_sin_confirmar",
                "Eventos y cartas que el broker no confirmó: siguen en la bandeja de salida.",
                ["topico"],
                registry=registro,
            ).labels
        )

    def lote(
        self,
        topico: str,
        mensajes: int,
        resultados: Mapping[tuple[str, str], int],
        segundos: float,
        retraso: float,
    ) -> None:
        """Cuenta una transacción.

        Args:
            topico: el de sus comandos.
            mensajes: cuántos llevaba, con reentregas.
            resultados: cuántos acabaron en cada estado y motivo; sin motivo, vacío.
            segundos: lo que tardó.
            retraso: segundos que esperó el más antiguo desde que se publicó.
        """
        self._mensajes(topico).observe(mensajes)
        self._segundos(topico).observe(segundos)
        self._retraso(topico).observe(retraso)
        for (estado, motivo), cuantos in resultados.items():
            self._destinos(topico, estado, motivo).inc(cuantos)

    def lectura_sin_evaluar(self, paso: str) -> None:
        """Cuenta un paso de la lectura de una procedencia que falló; el evento se registra igual."""
        self._sin_evaluar(paso).inc()

    def base_datos_muda(self) -> None:
        """Cuenta que la base de datos no respondió."""
        self._fallos.inc()

    def envio(self, topico: str, confirmado: bool) -> None:  # noqa: FBT001
        """Cuenta la respuesta del broker a un evento o una carta."""
        (self._publicados if confirmado else self._devueltos)(topico).inc()
