"""Lo que se apunta de una importación para poder seguirla: por dónde va, y las filas rechazadas.

Qué es: `ARCHIVO.avance`, con la línea hasta la que todas tienen respuesta, y `ARCHIVO.rechazados.ndjson`.
Por qué existe: quien muere a la mitad sigue desde ahí, y ninguna fila sale dos veces entre las rechazadas: el
avance dice cuántos octetos de ellas valen, y lo demás se corta.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from alpespartners.traspaso.anotacion import anotar, leer_anotado

_CODIFICADOR: Final = msgspec.json.Encoder()


class Cuentas(msgspec.Struct):
    """Cuántas filas acabaron de cada manera.

    Attributes:
        filas: las que se han leído y tienen respuesta.
        aceptadas: el broker las guardó, y su destino se sabrá (202).
        registradas: se supo que quedaron registradas (201).
        ya_estaban: se supo que ya lo estaban (200).
        difieren: de las que ya estaban, las que no decían lo mismo en algo que no decide el dinero.
        rechazadas: no entraron.
        motivos: cuántas de ellas tienen cada falta; una puede tener varias.
    """

    filas: int = 0
    aceptadas: int = 0
    registradas: int = 0
    ya_estaban: int = 0
    difieren: int = 0
    rechazadas: int = 0
    motivos: dict[str, int] = {}


class Rechazo(msgspec.Struct, kw_only=True):
    """Una fila rechazada, como queda en su archivo.

    Attributes:
        linea: el número de la línea en que empieza.
        id: el que traía, o el que se le dio.
        codigo: por qué, estable.
        estado: el de la respuesta HTTP; `None` si no llegó a enviarse.
        problema: lo que respondió la API (RFC 9457), entero, o la frase que lo cuenta.
        fila: como estaba.
    """

    linea: int
    id: str | None
    codigo: str
    estado: int | None
    problema: dict[str, Any]
    fila: str

    def motivos(self) -> set[str]:
        """Sus faltas, cada una con su campo; si no trae ninguna, el código."""
        faltas = self.problema.get("errores", [])
        return {f"{falta['codigo']} ({falta['campo']})" for falta in faltas} or {self.codigo}


class _Avance(msgspec.Struct):
    """Lo que guarda el archivo de avance."""

    huella: str
    hacia: str
    linea: int
    octetos_rechazados: int
    cuentas: Cuentas


class OtraImportacion(Exception):
    """Hay a medias una importación que no es esta. El mensaje es una frase."""


class Apuntes:
    """Los de un archivo, que se usan en un `with`.

    Args:
        base: el archivo, que da nombre a los otros dos.
        huella: la de su contenido.
        hacia: a dónde se importa; a otro sitio, no se sigue.
        se_sigue: si se guarda por dónde va.
        de_nuevo: si se olvida lo que hubiera a medias.

    Raises:
        OtraImportacion: hay otra a medias, o en marcha.
        OSError: no se puede escribir junto al archivo.
    """

    def __init__(
        self, base: Path, huella: str, hacia: str, *, se_sigue: bool = True, de_nuevo: bool = False
    ) -> None:
        self._huella, self._hacia, self._se_sigue = huella, hacia, se_sigue
        self._ruta = base.with_name(f"{base.name}.avance")
        self.ruta_de_rechazadas = base.with_name(f"{base.name}.rechazados.ndjson")
        previo = None if de_nuevo or not se_sigue else self._previo()
        self.linea = 0 if previo is None else previo.linea
        self.cuentas = Cuentas() if previo is None else previo.cuentas
        self._octetos = 0 if previo is None else previo.octetos_rechazados
        self._cerrojo = Cerrojo(self.ruta_de_rechazadas)

    def __enter__(self) -> Self:
        if not self._cerrojo.tomar():
            self._cerrojo.cerrar()
            raise OtraImportacion("otra orden está importando este archivo ahora mismo")
        self._rechazadas = self.ruta_de_rechazadas.open("r+b")
        # Lo que se escribió después de lo último apuntado se enviará otra vez, y dirá lo mismo.
        self._rechazadas.truncate(self._octetos)
        self._rechazadas.seek(self._octetos)
        return self

    def __exit__(
        self, tipo: type[BaseException] | None, _error: BaseException | None, _traza: TracebackType | None
    ) -> None:
        self.apuntar()
        self._rechazadas.close()
        # Si ninguna fila llegó a tener respuesta, no hay nada que seguir.
        if tipo is None or not self.linea:
            self._ruta.unlink(missing_ok=True)
            if not self._octetos:
                self.ruta_de_rechazadas.unlink()
        self._cerrojo.cerrar()

    def rechazar(self, rechazo: Rechazo) -> None:
        """Deja la fila entre las rechazadas."""
        self.cuentas.rechazadas += 1
        motivos = self.cuentas.motivos
        for motivo in rechazo.motivos():
            motivos[motivo] = motivos.get(motivo, 0) + 1
        self._octetos += self._rechazadas.write(_CODIFICADOR.encode(rechazo) + b"\n")

    def apuntar(self) -> None:
        """Lleva al disco las rechazadas y, después, hasta qué línea tienen todas su respuesta."""
        self._rechazadas.flush()
        os.fsync(self._rechazadas.fileno())
        if self._se_sigue:
            anotar(self._ruta, _Avance(self._huella, self._hacia, self.linea, self._octetos, self.cuentas))

    def _previo(self) -> _Avance | None:
        previo: _Avance | None = leer_anotado(self._ruta, _Avance)
        if previo is None or (previo.huella, previo.hacia) == (self._huella, self._hacia):
            return previo
        que = "este archivo era otro" if previo.huella != self._huella else f"iba a {previo.hacia}"
        raise OtraImportacion(f"hay una importación a medias, y {que}; para olvidarla, --de-nuevo")
