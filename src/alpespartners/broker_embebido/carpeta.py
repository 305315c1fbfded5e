"""Los archivos del broker embebido dentro de la carpeta de datos: quién escribe cada uno y qué dice.

El guardián lo importa: solo biblioteca estándar, y de la ligera.
"""

import json
import os
import uuid
from pathlib import Path

from alpespartners.seedwork.procesos.cerrojos import Cerrojo

_PUERTOS = range(1, 65_536)


class Carpeta:
    """Una carpeta de datos.

    ``broker.json`` guarda el puerto, que no cambia mientras siga libre, y el pid del broker que el guardián
    vio escuchar en él. El pid del broker que vive, si vive alguno, está dentro de ``broker.lock``, escrito
    por él mismo.
    """

    def __init__(self, datos: Path) -> None:
        self.datos = datos
        self.cerrojo_usuarios = datos / "usuarios.lock"
        self.cerrojo_guardian = datos / "guardian.lock"
        self.cerrojo_broker = datos / "broker.lock"
        self.cerrojo_consumo = datos / "consumo.lock"
        self.broker = datos / "broker"
        self.registro = self.broker / "registro.log"
        self._estado = datos / "broker.json"
        self._epoca = self.broker / "epoca"
        self._mensajes = self.broker / "mensajes.rocksdb"

    def preparar(self) -> None:
        """Crea lo que falte, solo para su dueño, y comprueba que se puede escribir.

        Raises:
            OSError: no se puede.
        """
        self.datos.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.broker.mkdir(mode=0o700, exist_ok=True)
        for ruta in (self.cerrojo_usuarios, self.cerrojo_guardian, self.cerrojo_broker, self.registro):
            os.close(os.open(ruta, os.O_RDWR | os.O_CREAT, 0o600))

    def puerto_guardado(self) -> int | None:
        """El puerto en el que escuchó el broker la última vez."""
        puerto, _ = self._leer_estado()
        return puerto

    def puerto_activo(self) -> int | None:
        """El puerto en el que escucha un broker que vive en este momento, o ``None``."""
        puerto, pid = self._leer_estado()
        cerrojo = Cerrojo(self.cerrojo_broker)
        try:
            vive = not cerrojo.tomar(compartido=True)
            return puerto if vive and pid is not None and pid == self.pid_del_broker() else None
        finally:
            cerrojo.cerrar()

    def pid_del_broker(self) -> int | None:
        """El pid que hay en ``broker.lock``: solo significa algo mientras alguien lo tenga tomado."""
        texto = self.cerrojo_broker.read_bytes()
        return int(texto) if texto.isdigit() else None

    def anotar_activo(self, puerto: int, pid: int) -> None:
        """Anota que el broker ``pid`` ya escucha en ``puerto``."""
        _escribir(self._estado, json.dumps({"puerto": puerto, "pid": pid}))

    def epoca(self) -> uuid.UUID:
        """La época de los mensajes guardados.

        Raises:
            OSError, ValueError: falta o está dañada.
        """
        return uuid.UUID(self._epoca.read_text(encoding="ascii"))

    def asegurar_epoca(self) -> None:
        """Da una época a los mensajes que aún no la tienen.

        Sin mensajes la época anterior tampoco vale: las posiciones vuelven a empezar y nombrarían otros
        mensajes.
        """
        if not (self._mensajes.exists() and self._epoca.exists()):
            _escribir(self._epoca, str(uuid.uuid4()))

    def _leer_estado(self) -> tuple[int | None, int | None]:
        try:
            estado = json.loads(self._estado.read_bytes())
        except (FileNotFoundError, ValueError):
            # Nunca lo hubo, o lo dañó otro (el nuestro se reemplaza entero): se elige puerto como la
            # primera vez.
            return None, None
        if not isinstance(estado, dict):
            return None, None
        puerto, pid = estado.get("puerto"), estado.get("pid")
        return (
            puerto if type(puerto) is int and puerto in _PUERTOS else None,
            pid if type(pid) is int else None,
        )


def _escribir(ruta: Path, texto: str) -> None:
    """Reemplaza el archivo entero, para que nadie lea medio."""
    temporal = ruta.with_name(ruta.name + ".nuevo")
    temporal.write_text(texto, encoding="ascii")
    temporal.replace(ruta)
