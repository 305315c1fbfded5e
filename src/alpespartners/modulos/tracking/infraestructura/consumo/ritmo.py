"""El ritmo del consumo: cuánto espera, cuánto toma y cuánto insiste un consumidor, y lo mismo su relevo.

Qué es: los valores de producción, en un solo lugar. `composicion` los pasa como argumento, y cada prueba pasa
los suyos.
Por qué existe: «¿dónde cambio el ritmo del consumidor?» se responde aquí.
"""

from dataclasses import dataclass, field
from typing import Final

from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import RitmoDelPublicador
from alpespartners.seedwork.pausas import Pausas

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ritmo:
    """El ritmo de los consumidores de un proceso; en segundos, salvo lo que acaba en `_ms`.

    Attributes:
        maximo_lote: mensajes que lleva un lote, si no se sospecha de ninguno (`en_mano.py`).
        maximo_octetos: los de las cargas de un lote; con el mensaje que los pasa, el lote se cierra.
        espera_ms: lo que se espera un mensaje antes de mirar si sigue habiendo conexión.
        espera_siguiente_ms: lo que se espera a otro que vaya en el mismo lote.
        entre_lotes: desde que se recogió un lote hasta el siguiente del mismo tópico, si no está lleno: una
            transacción cuesta lo que asentar treinta comandos. El primero tras un silencio no espera.
        intentos: veces que el programa puede fallar al asentar un mensaje, él solo, antes de darlo por
            ilegible.
        pausas: entre dos intentos.
        pausas_en_espera: lo que retiene, sin confirmar, un comando de una versión posterior.
        memoria_de_un_apartado: lo que se recuerda a uno que no ha vuelto: quizá se fue con otro consumidor.
        desconexion_tolerada: sin conexión, antes de cambiar la suscripción por otra.
        para_asentar: al parar, lo que tiene para terminar la transacción en curso.
        para_cerrar: al parar, lo que se espera al cierre de una suscripción.
    """

    maximo_lote: int = 500
    maximo_octetos: int = 8 * _MIB
    espera_ms: int = 5_000
    espera_siguiente_ms: int = 1
    entre_lotes: float = 0.03
    intentos: int = 5
    pausas: Pausas = field(default_factory=Pausas)
    pausas_en_espera: Pausas = field(default_factory=lambda: Pausas(minima=10.0, maxima=300.0))
    memoria_de_un_apartado: float = 600.0
    desconexion_tolerada: float = 10.0
    para_asentar: float = 1.0
    para_cerrar: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RitmoDelOlvido:
    """El ritmo con que se olvida lo enviado, en segundos.

    Attributes:
        tanda: lo que se borra en cada transacción; con pocos, quien asienta no nota que le tocó esperar.
        entre_tandas: lo que descansa si quedan más.
        entre_rondas: lo que espera cuando ya no queda nada que olvidar, o si no se pudo.
    """

    tanda: int = 500
    entre_tandas: float = 0.5
    entre_rondas: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RitmoDelRelevo:
    """El ritmo del relevo, en segundos.

    Attributes:
        maximo_en_mano: envíos que se publican a la vez. Lo que no cabe no se toma: sigue en la base de datos,
            para un barrido posterior.
        maximo_octetos: lo que ocupan sus cargas.
        en_mano_sin_esperar: por debajo caben todavía los lotes que se estén asentando, uno por tópico.
        octetos_sin_esperar: lo mismo, de lo que ocupan.
        espera_a_que_quepan: lo más que espera por eso quien asienta.
        limite_de_envio: lo que el broker tiene para confirmar un envío.
        espera_al_productor: antes de soltar los envíos de un tópico que no se conecta.
        cada_retirada: lo que se reúnen las confirmaciones para anotarlas juntas.
        filas_por_lectura: las de un carril que se leen de una vez, cuando no se publicaron al escribirse.
        cada_barrido: entre dos barridos.
        renovar_tras: tiempo en mano tras el que se renueva el arriendo de una carta; el de un carril con algo
            pendiente, en cada barrido y al anotar.
        pausas: entre dos intentos de un paso que falla.
        publicador: el de quien publica.
    """

    maximo_en_mano: int = 2_000
    maximo_octetos: int = 64 * _MIB
    en_mano_sin_esperar: int = 1_000
    octetos_sin_esperar: int = 32 * _MIB
    espera_a_que_quepan: float = 1.0
    limite_de_envio: float = 30.0
    espera_al_productor: float = 5.0
    cada_retirada: float = 0.2
    filas_por_lectura: int = 200
    cada_barrido: float = 10.0
    renovar_tras: float = 10.0
    pausas: Pausas = field(default_factory=Pausas)
    publicador: RitmoDelPublicador = field(default_factory=RitmoDelPublicador)
