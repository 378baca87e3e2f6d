#pragma once

#include "tensor/sequence_layout.h"
#include "tensor/tensor.h"

namespace calque {

/// `train.adversarial.*` of a config.
struct AdversarialOptions {
  double weight = 0;   // of the loss on perturbed embeddings; 0: there is none
  double epsilon = 1;  // length of each sentence's perturbation
};

/// Turns the gradient of the loss with respect to embedded tokens into the perturbation that makes
/// the loss grow most, to first order, among all of one length (Miyato et al. 2017, "Adversarial
/// Training Methods for Semi-Supervised Text Classification"; on both sides of a translation, Sato
/// et al. 2019): for each sentence by itself, over all its tokens,
///   r = epsilon g / ||g||
/// in place; no perturbation where the gradient is zero. gradient: [tokens, model]. The norm is a
/// sum in double, in one order.
void turn_into_perturbation(const Tensor& gradient, const SequenceLayout& layout, double epsilon);

}  // namespace calque
