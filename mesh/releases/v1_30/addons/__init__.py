"""The addons of Istio 1.30's samples."""

from __future__ import annotations

from typing import Final

from mesh.releases.addons import Addons
from mesh.releases.v1_30.addons.grafana import GRAFANA
from mesh.releases.v1_30.addons.jaeger import JAEGER
from mesh.releases.v1_30.addons.kiali import KIALI
from mesh.releases.v1_30.addons.loki import LOKI
from mesh.releases.v1_30.addons.prometheus import PROMETHEUS

ADDONS: Final = Addons(prometheus=PROMETHEUS, jaeger=JAEGER, grafana=GRAFANA, kiali=KIALI, loki=LOKI)
