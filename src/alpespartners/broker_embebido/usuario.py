"""El usuario del broker embebido: lo que ve de él un proceso que publica o consume."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from alpespartners.broker_embebido.binario import encontrar_binario
from alpespartners.broker_embebido.carpeta import Carpeta
from alpespartners.broker_embebido.espacio import hay_sitio
from alpespartners.broker_embebido.vigilante import Vigilante
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.procesos.cerrojos import Cerrojo

_CADA = 0.02


class BrokerEmbebido:
    """Un usuario del broker de una carpeta de datos; se abre una sola vez.

    Attributes:
        url: ``pulsar://127.0.0.1:<puerto>``, la misma en la vida de la carpeta mientras el puerto siga libre.
        epoca: identifica a los mensajes guardados; cambia si se borran.
    """

    url: str
    epoca: UUID

    def __init__(self, datos: Path, *, gracia: float = 10.0, limite: float = 10.0) -> None:
        """No hace nada todavía.

        Args:
            datos: carpeta de datos; se crea si falta.
            gracia: segundos que el broker sigue vivo después de irse el último usuario. Cuenta la de quien
                arranca al guardián.
            limite: segundos que ``abrir`` espera como mucho.
        """
        self._carpeta = Carpeta(datos.absolute())
        self._gracia = gracia
        self._limite = limite
        self._usuarios: Cerrojo | None = None
        self._vigilante: Vigilante | None = None
        self._consumo: Cerrojo | None = None

    def __enter__(self) -> Self:
        self.abrir()
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, error: BaseException | None, traza: TracebackType | None
    ) -> None:
        self.cerrar()

    def abrir(self) -> None:
        """Bloquea hasta que el broker atiende, arrancándolo si hace falta.

        Raises:
            ErrorDeArranque: no lo hay para esta plataforma, no se puede escribir en la carpeta o no arranca.
        """
        binario = encontrar_binario()
        try:
            self._carpeta.preparar()
            self._usuarios = Cerrojo(self._carpeta.cerrojo_usuarios)
        except OSError as error:
            raise ErrorDeArranque(
                f"No se puede escribir en la carpeta de datos {self._carpeta.datos} ({error.strerror}): "
                "defina ALPES_DATOS con otra carpeta."
            ) from error
        try:
            self._esperar(binario, self._usuarios)
        except BaseException:
            self.cerrar()
            raise

    def reservar_consumo(self) -> None:
        """Toma para este proceso, ya abierto, el único lugar de consumidor; lo deja al cerrar.

        pulsar-lite numera a los consumidores por proceso, así que el de un segundo choca con el del primero.
        Y cuando uno muere de golpe su número queda ocupado, con mensajes que nadie recibirá: por eso, si el
        anterior no se despidió, el broker se repone antes de que este se suscriba.

        Raises:
            ErrorDeArranque: otro proceso ya consume, o el broker no volvió a arrancar.
        """
        consumo = Cerrojo(self._carpeta.cerrojo_consumo)
        if not consumo.tomar():
            consumo.cerrar()
            raise ErrorDeArranque(
                f"Ya hay un proceso de consumidores sobre {self._carpeta.datos}: el broker embebido admite "
                "uno. Detenga el otro, o use Apache Pulsar con ALPES_PULSAR_URL."
            )
        self._consumo = consumo
        if os.fstat(consumo.descriptor).st_size:
            self._reponer_broker()
        os.pwrite(consumo.descriptor, b"sin despedirse", 0)

    def hay_sitio(self) -> bool:
        """Dice si al broker le queda la reserva sin la que no se cree en sus confirmaciones."""
        return hay_sitio(self._carpeta.datos)

    def cerrar(self) -> None:
        """Deja de usar el broker; puede llamarse más de una vez.

        Quien reservó el consumo cierra antes su cliente: esto es despedirse.
        """
        if self._consumo is not None:
            os.ftruncate(self._consumo.descriptor, 0)
            self._consumo.cerrar()
            self._consumo = None
        if self._vigilante is not None:
            self._vigilante.terminar()
            self._vigilante = None
        if self._usuarios is not None:
            self._usuarios.cerrar()
            self._usuarios = None

    def _esperar(self, binario: Path, usuarios: Cerrojo) -> None:
        plazo = time.monotonic() + self._limite
        # Un guardián que se despide lo tiene tomado hasta acabar con su broker.
        if not usuarios.tomar(compartido=True, limite=self._limite):
            raise self._no_arranca()
        self._vigilante = Vigilante(self._carpeta, binario, self._gracia)
        self._vigilante.arrancar()
        self._esperar_puerto(plazo)

    def _esperar_puerto(self, plazo: float) -> None:
        while (puerto := self._carpeta.puerto_activo()) is None:
            if time.monotonic() >= plazo:
                raise self._no_arranca()
            time.sleep(_CADA)
        self.url = f"pulsar://127.0.0.1:{puerto}"
        self.epoca = self._carpeta.epoca()

    def _reponer_broker(self) -> None:
        plazo = time.monotonic() + self._limite
        if self._carpeta.puerto_activo() is not None and (pid := self._carpeta.pid_del_broker()) is not None:
            with suppress(ProcessLookupError):  # pudo morir entre medias, que es lo que se pide
                os.kill(pid, signal.SIGTERM)
            while self._carpeta.puerto_activo() is not None and self._carpeta.pid_del_broker() == pid:
                if time.monotonic() >= plazo:
                    raise self._no_arranca()
                time.sleep(_CADA)
        self._esperar_puerto(plazo)

    def _no_arranca(self) -> ErrorDeArranque:
        lineas = self._carpeta.registro.read_text(encoding="utf-8", errors="replace").split("\n")
        ultima = next((linea.strip() for linea in reversed(lineas) if linea.strip()), "nada")
        return ErrorDeArranque(
            f"El broker embebido no arrancó en {self._limite:g} s. Su registro, {self._carpeta.registro}, "
            f"termina así: {ultima}"
        )
