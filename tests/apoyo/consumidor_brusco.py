"""Un proceso que reserva el consumo del broker embebido y se suscribe, hasta que lo maten."""

import signal
import sys
from pathlib import Path

import pulsar

from alpespartners.broker_embebido import BrokerEmbebido

broker = BrokerEmbebido(Path(sys.argv[1]), gracia=0.2)
broker.abrir()
broker.reservar_consumo()
cliente = pulsar.Client(broker.url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null"))
consumidor = cliente.subscribe(sys.argv[2], "s", consumer_type=pulsar.ConsumerType.Shared)
sys.stdout.write("suscrito\n")
sys.stdout.flush()
signal.pause()
