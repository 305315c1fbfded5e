"""El usuario del broker embebido: lo que ve de él un proceso que publica o consume."""

import time
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.infraestructura.broker_embebido.binario import encontrar_binario
from alpespartners.seedwork.infraestructura.broker_embebido.carpeta import Carpeta
from alpespartners.seedwork.infraestructura.broker_embebido.vigilante import Vigilante
from alpespartners.seedwork.infraestructura.cerrojos import Cerrojo

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

    def cerrar(self) -> None:
        """Deja de usar el broker; puede llamarse más de una vez."""
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
        while (puerto := self._carpeta.puerto_activo()) is None:
            if time.monotonic() >= plazo:
                raise self._no_arranca()
            time.sleep(_CADA)
        self.url = f"pulsar://127.0.0.1:{puerto}"
        self.epoca = self._carpeta.epoca()

    def _no_arranca(self) -> ErrorDeArranque:
        lineas = self._carpeta.registro.read_text(encoding="utf-8", errors="replace").split("\n")
        ultima = next((linea.strip() for linea in reversed(lineas) if linea.strip()), "nada")
        return ErrorDeArranque(
            f"El broker embebido no arrancó en {self._limite:g} s. Su registro, {self._carpeta.registro}, "
            f"termina así: {ultima}"
        )
