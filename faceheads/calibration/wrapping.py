"""What the estimators of this package have in common: each holds another estimator, and fits a clone of it to all rows."""

from __future__ import annotations

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted


class WrappingMixin(MetaEstimatorMixin):
    """For an estimator around the parameter ``estimator``; what was fitted is ``estimator_``. Stands before other mixins."""

    estimator: BaseEstimator

    def _fit_to_all(self, X: object, y: object, **params: object) -> None:
        """Set ``estimator_``, and ``feature_names_in_`` where the columns of ``X`` have names."""
        self.estimator_ = clone(self.estimator).fit(X, y, **params)
        if hasattr(self.estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.estimator_.feature_names_in_

    @property
    def n_features_in_(self) -> int:
        """Columns of ``X`` in ``fit``."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.n_features_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """What is asked for by this estimator and by the one that it holds."""
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add_self_request(self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_class = False
        return tags
