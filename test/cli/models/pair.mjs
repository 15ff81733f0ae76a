// An instance, from an ES module, that gives two results by name.
import { nn } from 'flambeau';

class Pair extends nn.Module {
  forward(x) {
    return { twice: x.mul(2), least: x.amin(1) };
  }
}

export default new Pair();
