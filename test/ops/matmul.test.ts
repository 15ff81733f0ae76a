import { checkFile } from './structured';
import { rows } from './table/matmul';

checkFile('matmul', rows);
