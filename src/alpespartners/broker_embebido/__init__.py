"""El broker embebido: un pulsar-lite que comparten los procesos de una misma carpeta de datos.

Es para probar, desarrollar y ensayar sin instalar nada. Sobrevive a la muerte de cualquier proceso, no a un
corte de corriente (nunca llama a fsync), y cualquier usuario de la máquina puede alcanzar su puerto. No es
el broker de producción: ese es Apache Pulsar.

Nadie lo arranca ni lo detiene a mano:

- cada **usuario** (``BrokerEmbebido``) tiene un cerrojo compartido sobre ``usuarios.lock``, y un hilo, el
  **vigilante**, que espera ``guardian.lock``: quien lo consigue sabe que no hay guardián y arranca uno;
- el **guardián**, un proceso mínimo en su propia sesión, tiene ``guardian.lock``, arranca el broker, lo
  repone si muere y lo termina un rato después de irse el último usuario;
- el **broker** hereda ``broker.lock`` tomado: mientras lo esté, vive.
"""

from alpespartners.broker_embebido.usuario import BrokerEmbebido

__all__ = ["BrokerEmbebido"]
