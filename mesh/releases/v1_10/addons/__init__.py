"""The addons of Istio 1.10's samples."""

from __future__ import annotations

from typing import Final

from mesh.releases.addons import Addons
from mesh.releases.v1_10.addons.grafana import GRAFANA
from mesh.releases.v1_10.addons.jaeger import JAEGER
from mesh.releases.v1_10.addons.kiali import KIALI
from mesh.releases.v1_10.addons.prometheus import PROMETHEUS

ADDONS: Final = Addons(prometheus=PROMETHEUS, jaeger=JAEGER, grafana=GRAFANA, kiali=KIALI)
