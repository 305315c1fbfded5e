"""El carril en memoria: nunca da por publicado lo que falta, ni deja sin leer lo que hay."""

from collections.abc import Sequence
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.topicos import EVENTO_IMPRESION_REGISTRADA
from alpespartners.modulos.tracking.infraestructura.consumo.carril import NUMEROS_POR_LECTURA, Carril

Paso = tuple[Literal["escribir", "escribir sin sitio", "leer", "confirmar", "fallar"], int]

_PASOS = st.lists(
    st.tuples(
        st.sampled_from(["escribir", "escribir sin sitio", "leer", "confirmar", "fallar"]), st.integers(1, 5)
    ),
    max_size=60,
)


class _Mundo:
    """Un carril y el libro del que se lee, donde entre dos filas suyas hay filas de otros."""

    def __init__(self) -> None:
        self.carril = Carril(7, EVENTO_IMPRESION_REGISTRADA, 0, 0)
        self.filas: list[int] = []
        self.en_curso: list[int] = []
        self.confirmadas: list[int] = []

    def escribir(self, cuantas: int, *, cabe: bool) -> None:
        primera = (self.filas[-1] if self.filas else 0) + 3
        nuevas = range(primera, primera + cuantas)
        for numero in nuevas:
            anterior = self.filas[-1] if self.filas else 0
            self.filas.append(numero)
            if self.carril.nueva(numero, anterior, cabe=cabe):
                self.en_curso.append(numero)

    def leer(self, limite: int) -> None:
        trozo = self.carril.trozo(limite)
        numeros = [n for n in self.filas if trozo.despues_de < n <= trozo.hasta][:limite]
        self.en_curso += self.carril.leidas(trozo, numeros)

    def saber(self, cual: int, *, confirmada: bool) -> None:
        if self.en_curso:
            numero = self.en_curso.pop(cual % len(self.en_curso))
            self.carril.sabida(numero, confirmada=confirmada)
            if confirmada:
                self.confirmadas.append(numero)

    def dar(self, paso: Paso) -> None:
        que, cuantos = paso
        match que:
            case "escribir":
                self.escribir(cuantos, cabe=True)
            case "escribir sin sitio":
                self.escribir(cuantos, cabe=False)
            case "leer":
                if self.carril.atrasado:
                    self.leer(cuantos)
            case "confirmar":
                self.saber(cuantos, confirmada=True)
            case "fallar":
                self.saber(cuantos, confirmada=False)


@given(_PASOS)
def test_pase_lo_que_pase_lo_anotado_esta_confirmado_y_al_final_se_publica_todo_una_vez(
    pasos: Sequence[Paso],
) -> None:
    mundo = _Mundo()
    anotado = 0
    for paso in pasos:
        mundo.dar(paso)
        avance = mundo.carril.avance()
        assert avance.publicado_hasta >= anotado
        anotado = avance.publicado_hasta
        assert {numero for numero in mundo.filas if numero <= anotado} <= set(mundo.confirmadas)
        assert avance.seguidas == len([numero for numero in mundo.filas if numero <= anotado])
        assert avance.publicadas == len(mundo.confirmadas)
    for _ in range(2 * len(mundo.filas) + 1):
        if mundo.carril.atrasado:
            mundo.leer(3)
        mundo.saber(0, confirmada=True)
    # Ninguna se confirmó dos veces: lo confirmado no se vuelve a publicar.
    assert sorted(mundo.confirmadas) == mundo.filas
    assert mundo.carril.avance().publicado_hasta == (mundo.filas[-1] if mundo.filas else 0)


def test_si_algo_falla_mientras_se_lee_lo_leido_no_vale() -> None:
    carril = Carril(7, EVENTO_IMPRESION_REGISTRADA, 0, 4)
    assert carril.leidas(carril.trozo(2), [1, 2]) == [1, 2]
    trozo = carril.trozo(2)
    carril.sabida(1, confirmada=False)
    assert carril.leidas(trozo, [3, 4]) == []
    assert carril.trozo(10).despues_de == 0
    assert carril.leidas(carril.trozo(10), [1, 2, 3, 4]) == [1, 3, 4]


def test_una_lectura_no_recorre_lo_que_otros_escribieron_entre_dos_filas_suyas() -> None:
    lejos = 3 * NUMEROS_POR_LECTURA
    carril = Carril(7, EVENTO_IMPRESION_REGISTRADA, 0, lejos)
    lecturas = 0
    while carril.atrasado:
        trozo = carril.trozo(10)
        assert trozo.hasta - trozo.despues_de <= NUMEROS_POR_LECTURA
        carril.leidas(trozo, [lejos] if trozo.hasta == lejos else [])
        lecturas += 1
    assert lecturas == 3
    assert carril.avance().publicado_hasta == lejos - 1


def test_si_falta_una_de_las_de_antes_lo_recien_escrito_se_lee_del_libro_con_ella() -> None:
    carril = Carril(7, EVENTO_IMPRESION_REGISTRADA)
    assert carril.nueva(3, 0, cabe=True)
    # La 5 se escribió, y quien publica no lo supo.
    assert not carril.nueva(6, 5, cabe=True)
    assert carril.leidas(carril.trozo(10), [5, 6]) == [5, 6]
