"""Separación de muchos JSON en sus elementos según llegan: una lista, o uno por línea.

Qué es: de trozos de octetos, cortados por donde sea, a los octetos de cada elemento en cuanto se sabe dónde
acaba.
Qué no es: la lectura de un elemento (`json_estricto.py`). Uno que no es JSON sale como los demás, si se sabe
dónde acaba.
Por qué existe: leer entera una lista de mil elementos ocupa muchas veces lo que mide, y no deja empezar con
el primero hasta tener el último.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from alpespartners.seedwork.json_estricto import JsonIlegible

_BLANCO: Final = rb"[ \t\n\r]*+"
_SIN_CERRAR: Final = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_LOS_BLANCOS: Final = b" \t\n\r"
# Tras una cadena no puede venir otra cosa. Si viene, unas comillas sobran o faltan, y las que quedan mienten.
_TRAS_CADENA: Final = b":,]}"
_CADENA: Final = rb'"' + _SIN_CERRAR + rb'"(?=' + _BLANCO + rb"[:,\]}])"
_LLANO: Final = rb'[^"\[\]{}]*+'


def _dentro_de(niveles: int) -> bytes:
    """Lo que puede ir entre una apertura y su cierre, si dentro no se anidan más niveles que esos."""
    parte = rb"(?:" + _CADENA + (b"|" + _anidado(niveles - 1) if niveles else b"") + rb")"
    return _LLANO + rb"(?:" + parte + _LLANO + rb")*+"


def _anidado(niveles: int) -> bytes:
    """Un objeto o una lista que no anida más niveles que esos."""
    dentro = _dentro_de(niveles)
    return rb"(?:\{" + dentro + rb"\}|\[" + dentro + rb"\])"


# Casi todos los elementos son así y están enteros: recorrerlos de una vez cuesta una décima parte.
_ENTERO: Final = re.compile(rb"(?=\{)" + _anidado(2) + _BLANCO + rb"(?=[,\]])", re.DOTALL)
# De un elemento a medias o que no cabe, lo que cierra todo lo que abre: no dice nada de dónde acaba.
_NIVELES_SEGUIDOS: Final = 3
_SEGUIDO: Final = re.compile(_dentro_de(_NIVELES_SEGUIDOS), re.DOTALL)
_BLANCOS: Final = re.compile(_BLANCO)
_RESTO_DE_CADENA: Final = re.compile(_SIN_CERRAR, re.DOTALL)
_SIGNO: Final = re.compile(rb'["\[\]{},]')
_CIERRE_DE: Final = {ord("["): ord("]"), ord("{"): ord("}")}


_SIGNOS: Final = (b",", b":", b"[", b"{")


class AnidaDeMas(JsonIlegible):
    """Recorrer lo que anida la lista cuesta más de lo que se quiso pagar."""


def contar_signos(octetos: bytes) -> int:
    """Comas, dos puntos y aperturas: lo que cuesta leerlo depende de cuántas lleva, y contarlas, de nada."""
    return sum(map(octetos.count, _SIGNOS))


class Separador(Protocol):
    """Separa lo que va llegando; un elemento es `None` si no cabe."""

    def separar(self, trozo: bytes) -> Iterator[bytes | None]:
        """Da los elementos que acaban en ese trozo.

        Raises:
            JsonIlegible: ya no se sabe dónde acaba ninguno más.
        """

    def acabar(self) -> Iterator[bytes | None]:
        """Da los que quedan cuando no llega nada más.

        Raises:
            JsonIlegible: lo que llegó está a medias.
        """


def _recortar_blancos(octetos: bytearray, maximo: int) -> bool:
    """Dice si caben sin los blancos del final, y de esos deja los justos para que, si algo les sigue, no."""
    if len(octetos) <= maximo:
        return True
    if len(octetos.rstrip(_LOS_BLANCOS)) > maximo:
        return False
    del octetos[maximo + 1 :]
    return True


class PorLineas:
    """Un elemento por línea; las que están en blanco no cuentan.

    Args:
        maximo: octetos de cada uno, sin los blancos de alrededor.
    """

    def __init__(self, maximo: int) -> None:
        self._maximo = maximo
        # Las seguidas que están en blanco se quitan de una vez: pueden ser millones.
        self._en_blanco = re.compile(rb"\n(?:[ \t\r]{0,%d}+\n)++" % maximo)
        self._linea = bytearray()
        self._cabe = True

    def separar(self, trozo: bytes) -> Iterator[bytes | None]:
        """Da las líneas que acaban en ese trozo."""
        primera, *siguientes = self._en_blanco.sub(b"\n", trozo).split(b"\n")
        self._alargar(primera)
        for siguiente in siguientes:
            yield from self.acabar()
            self._alargar(siguiente)

    def acabar(self) -> Iterator[bytes | None]:
        """Da la línea que queda: la última puede no llevar salto."""
        if not self._cabe:
            yield None
        elif linea := bytes(self._linea).rstrip(_LOS_BLANCOS):
            yield linea
        self._linea.clear()
        self._cabe = True

    def _alargar(self, octetos: bytes) -> None:
        if self._cabe:
            self._linea += octetos if self._linea else octetos.lstrip(_LOS_BLANCOS)
            self._cabe = _recortar_blancos(self._linea, self._maximo)
        if not self._cabe:
            self._linea.clear()


class DeUnaLista:
    """Los elementos de una lista JSON.

    Args:
        maximo: octetos de cada uno, sin los blancos de alrededor, y niveles que puede anidar sin que la
            lista deje de leerse.
        signos: comillas, comas, aperturas y cierres que se miran de uno en uno en toda la lista; sin
            decirlo, los que haga falta. Lo que llega en trozos grandes y anida poco casi no tiene.
    """

    def __init__(self, maximo: int, signos: int | None = None) -> None:
        self._maximo = maximo
        self._signos = signos
        self._cabe = True
        self._octetos = bytearray()
        """Desde el principio de un elemento, o lo que falta por mirar."""
        self._numero = 0
        self._empezar_elemento()
        self._leer: Callable[[], Iterator[bytes | None]] = self._antes

    def separar(self, trozo: bytes) -> Iterator[bytes | None]:
        """Da los elementos que acaban en ese trozo.

        Raises:
            AnidaDeMas: lleva más signos de los que se miran.
            JsonIlegible: no es una lista, o está rota: ya no se sabe dónde acaba ninguno más.
        """
        self._octetos += trozo
        # Cada etapa acaba con una vuelta en la que no cambia nada.
        etapa: Callable[[], Iterator[bytes | None]] | None = None
        while etapa != self._leer:
            etapa = self._leer
            yield from etapa()

    def acabar(self) -> Iterator[bytes | None]:
        """No da ninguno: una lista se cierra.

        Raises:
            JsonIlegible: la lista está a medias, o no hay nada.
        """
        if self._leer == self._antes:
            raise JsonIlegible("El cuerpo está vacío.")
        if self._leer != self._despues:
            raise self._rota("el cuerpo acaba sin cerrar la lista")
        yield from ()

    def _antes(self) -> Iterator[bytes | None]:
        """Hasta el corchete que la abre."""
        self._saltar_blancos()
        if self._octetos:
            if self._octetos.startswith(b"\xef"):
                raise JsonIlegible("El cuerpo empieza con una marca BOM: el JSON va en UTF-8 sin ella.")
            if not self._octetos.startswith(b"["):
                raise JsonIlegible("El cuerpo no es una lista JSON: debe empezar con «[».")
            del self._octetos[:1]
            self._leer = self._dentro
        yield from ()

    def _dentro(self) -> Iterator[bytes | None]:
        """Elemento a elemento, hasta el corchete que la cierra."""
        desde = 0
        while True:
            entero = None
            if not self._visto and self._cabe:
                desde = self._tras_los_blancos(desde)
                entero = _ENTERO.match(self._octetos, desde)
            if entero is not None:
                fin = entero.end()
            else:
                # Signo a signo, y cada uno una sola vez aunque llegue en mil trozos.
                del self._octetos[:desde]
                desde = 0
                fin = self._buscar_el_fin()
            if fin < 0:
                self._recortar()
                return
            cierra = self._octetos[fin] == _CIERRE_DE[ord("[")]
            elemento = bytes(self._octetos[desde:fin]).strip(_LOS_BLANCOS) if self._cabe else None
            if elemento is not None and len(elemento) > self._maximo:
                elemento = None
            # Solo una lista vacía se cierra sin elemento.
            if elemento != b"" or self._numero or not cierra:
                self._numero += 1
                yield elemento
            desde = fin + 1
            self._empezar_elemento()
            if cierra:
                del self._octetos[:desde]
                self._leer = self._despues
                return

    def _despues(self) -> Iterator[bytes | None]:
        self._saltar_blancos()
        if self._octetos:
            raise self._rota("detrás de la lista hay algo más")
        yield from ()

    def _empezar_elemento(self) -> None:
        self._visto = 0
        """Octetos del elemento que ya se miraron."""
        self._cabe = True
        self._abiertos = bytearray()
        """Los signos que faltan por cerrar."""
        self._en_cadena = False
        self._tras_cadena = False

    def _buscar_el_fin(self) -> int:
        """El lugar de la coma o del corchete tras el elemento; -1 si aún no ha llegado."""
        octetos, lugar = self._octetos, self._visto
        while lugar < len(octetos):
            if self._en_cadena:
                lugar = self._resto_de(_RESTO_DE_CADENA, lugar)
                # Una barra al final: falta lo que escapa.
                if lugar == len(octetos) or octetos[lugar] == ord("\\"):
                    break
                lugar += 1
                self._en_cadena, self._tras_cadena = False, True
                continue
            if self._tras_cadena:
                lugar = self._resto_de(_BLANCOS, lugar)
                if lugar == len(octetos):
                    break
                if octetos[lugar] not in _TRAS_CADENA:
                    raise self._rota("unas comillas sobran o faltan")
                self._tras_cadena = False
            if self._abiertos and len(self._abiertos) + _NIVELES_SEGUIDOS <= self._maximo:
                lugar = self._resto_de(_SEGUIDO, lugar)
            hallado = _SIGNO.search(octetos, lugar)
            if hallado is None:
                lugar = len(octetos)
                break
            lugar = hallado.end()
            if self._acaba_en(octetos[lugar - 1]):
                return lugar - 1
        self._visto = lugar
        return -1

    def _resto_de(self, patron: re.Pattern[bytes], lugar: int) -> int:
        hallado = patron.match(self._octetos, lugar)
        return lugar if hallado is None else hallado.end()

    def _acaba_en(self, signo: int) -> bool:
        """Dice si el elemento acaba antes de ese signo, y si no lo tiene en cuenta."""
        if self._signos is not None:
            if self._signos == 0:
                raise AnidaDeMas("La lista anida demasiados objetos y listas.")
            self._signos -= 1
        if signo == ord('"'):
            self._en_cadena = True
        elif signo in _CIERRE_DE:
            if len(self._abiertos) >= self._maximo:
                raise self._rota("anida demasiado")
            self._abiertos.append(_CIERRE_DE[signo])
        elif self._abiertos:
            if signo != ord(",") and signo != self._abiertos.pop():
                raise self._rota("un corchete o una llave no cierra lo que se abrió")
        elif signo == ord("}"):
            raise self._rota("se cierra una llave que no se abrió")
        else:
            return True
        return False

    def _recortar(self) -> None:
        """De un elemento que no cabe no se guarda nada."""
        if self._cabe and self._visto > self._maximo:
            # Dentro de algo, los blancos cuentan; fuera puede que ya no venga más que la coma.
            fuera = not self._abiertos and not self._en_cadena
            self._cabe = fuera and _recortar_blancos(self._octetos, self._maximo)
            self._visto = min(self._visto, len(self._octetos))
        if not self._cabe:
            del self._octetos[: self._visto]
            self._visto = 0

    def _saltar_blancos(self) -> None:
        del self._octetos[: self._tras_los_blancos(0)]

    def _tras_los_blancos(self, desde: int) -> int:
        return self._resto_de(_BLANCOS, desde)

    def _rota(self, por_que: str) -> JsonIlegible:
        return JsonIlegible(
            f"La lista está rota en su elemento {self._numero} (el primero es el 0): {por_que}."
        )
